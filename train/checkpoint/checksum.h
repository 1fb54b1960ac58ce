#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace bertha {

/// XXH3 with 64 bits over bytes that arrive in pieces.
/// Source:  Collet, "XXH3" (xxHash 0.8 specification); finds accidents, not forgeries.
class Checksum {
 public:
  Checksum();

  void update(std::span<const std::byte> bytes);
  uint64_t value() const;

 private:
  struct Release {
    void operator()(void* state) const;
  };
  std::unique_ptr<void, Release> state_;
};

uint64_t checksum_of(std::string_view bytes);

}  // namespace bertha
