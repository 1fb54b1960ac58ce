#include "train/checkpoint/stored_tensor.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "autograd/core/error.h"
#include "data/shown.h"

namespace bertha {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

// Without branches, so that the compiler may use vectors.
float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t magnitude = half & 0x7FFF;
  const uint32_t rebiased = (magnitude << 13) + (112u << 23) * (1 + (magnitude >= 0x7C00));
  const auto subnormal = std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
  const uint32_t is_subnormal = 0 - static_cast<uint32_t>(magnitude < 0x400);
  return std::bit_cast<float>(sign | (subnormal & is_subnormal) | (rebiased & ~is_subnormal));
}

struct Half {
  uint16_t bits;
  operator float() const { return half_to_float(bits); }
};
struct BFloat16 {
  uint16_t bits;
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

// Calls f.template operator()<From>() with the type of a dtype's elements; false where none of these is theirs.
template <class F>
bool dispatch_float(std::string_view dtype, F&& f) {
  if (dtype == "F32") return f.template operator()<float>(), true;
  if (dtype == "F16") return f.template operator()<Half>(), true;
  if (dtype == "BF16") return f.template operator()<BFloat16>(), true;
  if (dtype == "F64") return f.template operator()<double>(), true;
  return false;
}
template <class F>
bool dispatch_integer(std::string_view dtype, F&& f) {
  if (dtype == "I64") return f.template operator()<int64_t>(), true;
  if (dtype == "I32") return f.template operator()<int32_t>(), true;
  if (dtype == "I16") return f.template operator()<int16_t>(), true;
  if (dtype == "I8") return f.template operator()<int8_t>(), true;
  if (dtype == "U32") return f.template operator()<uint32_t>(), true;
  if (dtype == "U16") return f.template operator()<uint16_t>(), true;
  if (dtype == "U8" || dtype == "BOOL") return f.template operator()<uint8_t>(), true;
  return false;
}

template <class From, class To>
void read_converted(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<To> out) {
  uint64_t offset = tensor.offset + static_cast<uint64_t>(first) * sizeof(From);
  if constexpr (std::is_same_v<From, To>) {
    file.read(offset, std::as_writable_bytes(out));
  } else {
    constexpr size_t kBlock = size_t{1} << 18;
    std::vector<From> block(std::min(kBlock, out.size()));
    while (!out.empty()) {
      const std::span<From> part(block.data(), std::min(kBlock, out.size()));
      file.read(offset, std::as_writable_bytes(part));
      std::ranges::transform(part, out.begin(), [](From x) { return static_cast<To>(x); });
      offset += part.size_bytes();
      out = out.subspan(part.size());
    }
  }
}

void check_read(bool read, const InputFile& file, const StoredTensor& tensor, std::string_view expected) {
  check<MismatchError>(read, file.path(), ": ", shown(tensor.name), " has dtype ", tensor.dtype, " (expected ",
                       expected, ")");
}

template <class To>
void read_floats(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<To> out) {
  const bool read = dispatch_float(tensor.dtype, [&]<class From>() { read_converted<From>(file, tensor, first, out); });
  check_read(read, file, tensor, "F64, F32, F16 or BF16");
}

}  // namespace

int64_t StoredTensor::numel() const {
  int64_t product = 1;
  for (const int64_t dim : shape) product *= dim;
  return product;
}

bool StoredTensor::has_shape(const Shape& expected) const {
  if (static_cast<int>(shape.size()) != expected.rank()) return false;
  for (int axis = 0; axis < expected.rank(); ++axis) {
    if (shape[axis] != expected[axis]) return false;
  }
  return true;
}

NumberKind number_kind(std::string_view dtype) {
  const auto nothing = []<class From>() {};
  if (dispatch_integer(dtype, nothing)) return NumberKind::kInteger;
  if (!dispatch_float(dtype, nothing)) return NumberKind::kNone;
  return dtype == "F64" ? NumberKind::kDouble : NumberKind::kFloat;
}

void read_elements(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<float> out) {
  read_floats(file, tensor, first, out);
}
void read_elements(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<double> out) {
  read_floats(file, tensor, first, out);
}
void read_elements(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<int64_t> out) {
  const bool read =
      dispatch_integer(tensor.dtype, [&]<class From>() { read_converted<From>(file, tensor, first, out); });
  check_read(read, file, tensor, "an integer type of at most 63 bits");
}

void read_numbers(const InputFile& file, const StoredTensor& tensor, int64_t first, std::span<double> out) {
  const bool read =
      dispatch_integer(tensor.dtype, [&]<class From>() { read_converted<From>(file, tensor, first, out); });
  if (!read) read_floats(file, tensor, first, out);
}

void convert_numbers(std::string_view dtype, std::span<const std::byte> bytes, std::span<double> out) {
  const auto convert = [&]<class From>() {
    for (size_t i = 0; i < out.size(); ++i) {
      From element;
      std::memcpy(&element, &bytes[i * sizeof element], sizeof element);
      out[i] = static_cast<double>(element);
    }
  };
  if (!dispatch_integer(dtype, convert)) dispatch_float(dtype, convert);
}

}  // namespace bertha
