#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

namespace bertha {

/// How much of a text was there before, in passages of kPassage tokens wherever they stand. Only the passages whose
/// checksum is a multiple of a power of two are looked at, so that copies are found at any offset, and of a larger text
/// a smaller part, so that memory stays below 64 MB. Source: Manber 1994, "Finding similar files in a large file
/// system" (choosing by checksum); Wegman's adaptive sampling in Flajolet 1990, "On adaptive sampling".
class RepeatedText {
 public:
  static constexpr size_t kPassage = 12;

  /// Tokens that follow each other.
  void add(std::span<const int32_t> ids);

  /// Passages that were looked at, and the share of them that had occurred before; 0 where there are none.
  int64_t passages() const { return passages_; }
  double share() const;

 private:
  void look_at_fewer();

  uint64_t mask_ = 7;
  int64_t passages_ = 0;
  std::unordered_map<uint64_t, int64_t> counts_;  // by checksum
};

}  // namespace bertha
