#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bertha {

/// XXH3, 64 bits, of bytes that arrive in pieces.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;

  void update(std::span<const std::byte> bytes);
  template <class T>
  void update(std::span<const T> values) {
    update(std::as_bytes(values));
  }
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

uint64_t checksum_of(std::span<const std::byte> bytes);

inline constexpr size_t kHexDigits = 16;

/// kHexDigits hexadecimal digits, as files and messages show a checksum.
std::string to_hex(uint64_t value);
/// The value of exactly such digits. Throws DamagedFileError.
uint64_t from_hex(std::string_view digits);

}  // namespace bertha
