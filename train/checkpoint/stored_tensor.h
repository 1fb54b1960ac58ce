#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/core/shape.h"
#include "data/file.h"

namespace bertha {

/// A tensor that lies in a file, little-endian and in row-major order.
struct StoredTensor {
  std::string name;
  std::string dtype;           // F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL F8_E4M3 F8_E5M2 F8_E8M0 C64
  std::vector<int64_t> shape;  // empty for a scalar
  uint64_t offset = 0;         // of its first byte in the file
  uint64_t bytes = 0;

  int64_t numel() const;
  bool has_shape(const Shape& expected) const;
};

/// The elements from number `first` on that fill `out`, in row-major order. Floating-point dtypes of 16 to 64 bits go
/// into float and double; integers and BOOL into int64_t. Throws MismatchError for other dtypes and U64, and what
/// InputFile::read throws.
void read_elements(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<float> out);
void read_elements(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<double> out);
void read_elements(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<int64_t> out);

/// The same of floating-point numbers and integers alike; integers beyond 2^53 are rounded.
void read_numbers(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<double> out);

/// All numbers that so many bytes of a dtype are.
void convert_numbers(std::string_view dtype, std::span<const std::byte> bytes, std::span<double> out);

/// What the elements of a dtype are: floating-point numbers that a float holds, or a double; integers; or something
/// that nothing here reads.
enum class NumberKind { kFloat, kDouble, kInteger, kNone };
NumberKind number_kind(std::string_view dtype);

}  // namespace bertha
