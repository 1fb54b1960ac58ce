#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace bertha {

/// A token that stands for some of the bytes of a word.
struct BytePiece {
  int32_t id;
  uint32_t bytes;
};

/// Byte-pair encoding's learnt merges of two neighbours into one token.
/// Source: Sennrich et al. 2016 (arXiv:1508.07909) §3.2.
class BytePairMerges {
 public:
  /// Adds a merge that yields to those added before; false, and nothing added, where the pair has one.
  bool add(int32_t left, int32_t right, int32_t merged);

  /// Merges pieces until no pair has a merge: always the pair whose merge was added first, and the leftmost of its
  /// places. O(n log n).
  void apply(std::vector<BytePiece>& pieces) const;

 private:
  struct Merge {
    int32_t rank = kNone, merged = kNone;
  };
  static constexpr int32_t kNone = -1;

  Merge find(int32_t left, int32_t right) const;

  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace bertha
