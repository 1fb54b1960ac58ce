#include "train/inspect/tensor_difference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "train/inspect/element_blocks.h"
#include "train/inspect/ordered_keys.h"

namespace bertha {
namespace {

template <class T>
void read(const FileTensor& tensor, int64_t first, std::span<T> out) {
  if constexpr (std::is_same_v<T, float>) {
    read_elements(*tensor.file, tensor.tensor, first, out);
  } else {
    read_numbers(*tensor.file, tensor.tensor, first, out);
  }
}

// Both become 0 where one is not finite; how often that was.
template <class T>
int64_t blank_nonfinite(std::span<T> a, std::span<T> b) {
  int64_t blanked = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a[i]) && std::isfinite(b[i])) continue;
    a[i] = b[i] = 0;
    ++blanked;
  }
  return blanked;
}

template <class T>
TensorDifference compare(std::span<T> a, std::span<T> b) {
  constexpr size_t kLanes = 8;  // so that the compiler may use vectors
  TensorDifference difference{.elements = std::ssize(a)};
  for (size_t i = 0; i < a.size(); ++i) difference.changed += bits_of(a[i]) != bits_of(b[i]);
  difference.not_finite = blank_nonfinite(a, b);
  double squares[kLanes] = {}, squares_a[kLanes] = {}, squares_b[kLanes] = {}, products[kLanes] = {};
  double largest[kLanes] = {};
  const auto take = [&](size_t i, size_t lane) {
    const double x = a[i], y = b[i], distance = std::abs(y - x);
    largest[lane] = distance > largest[lane] ? distance : largest[lane];
    squares[lane] += distance * distance;
    squares_a[lane] += x * x;
    squares_b[lane] += y * y;
    products[lane] += x * y;
  };
  size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) take(i + lane, lane);
  }
  for (; i < a.size(); ++i) take(i, 0);
  for (size_t lane = 0; lane < kLanes; ++lane) {
    difference += {.largest = largest[lane],
                   .squares = squares[lane],
                   .squares_a = squares_a[lane],
                   .squares_b = squares_b[lane],
                   .products = products[lane]};
  }
  return difference;
}

template <class T>
TensorDifference compare_numbers(const FileTensor& a, const FileTensor& b) {
  struct Memory {
    std::vector<T> a = std::vector<T>(kElementsPerBlock), b = std::vector<T>(kElementsPerBlock);
  };
  const int64_t elements = a.tensor.numel();
  std::vector<std::vector<Memory>> memory(static_cast<size_t>(num_threads()));
  std::vector<TensorDifference> blocks(static_cast<size_t>(blocks_of(elements)));
  for_each_block(elements, [&](int64_t block, int64_t first, int64_t count, int thread) {
    if (memory[thread].empty()) memory[thread].resize(1);
    const auto x = std::span(memory[thread][0].a).first(static_cast<size_t>(count));
    const auto y = std::span(memory[thread][0].b).first(static_cast<size_t>(count));
    read(a, first, x);
    read(b, first, y);
    blocks[block] = compare(x, y);
  });
  TensorDifference sum;
  for (const TensorDifference& block : blocks) sum += block;
  return sum;
}

// Where they differ, all elements count as changed.
TensorDifference compare_bytes(const FileTensor& a, const FileTensor& b) {
  constexpr uint64_t kBlock = uint64_t{1} << 16;
  const int64_t elements = a.tensor.numel();
  bool same = a.tensor.dtype == b.tensor.dtype;
  std::vector<std::byte> of_a(kBlock), of_b(kBlock);
  for (uint64_t at = 0; same && at < a.tensor.bytes; at += kBlock) {
    const uint64_t bytes = std::min(kBlock, a.tensor.bytes - at);
    a.file->read(a.tensor.offset + at, std::span(of_a).first(bytes));
    b.file->read(b.tensor.offset + at, std::span(of_b).first(bytes));
    same = std::equal(of_a.begin(), of_a.begin() + static_cast<std::ptrdiff_t>(bytes), of_b.begin());
  }
  return {.elements = elements, .changed = same ? 0 : elements};
}

}  // namespace

double TensorDifference::relative_norm() const {
  if (squares == 0) return 0;
  return squares_a > 0 ? std::sqrt(squares / squares_a) : std::numeric_limits<double>::infinity();
}

double TensorDifference::cosine() const {
  return products / (std::sqrt(squares_a) * std::sqrt(squares_b));
}

TensorDifference& TensorDifference::operator+=(const TensorDifference& more) {
  elements += more.elements;
  changed += more.changed;
  not_finite += more.not_finite;
  largest = std::max(largest, more.largest);
  squares += more.squares;
  squares_a += more.squares_a;
  squares_b += more.squares_b;
  products += more.products;
  return *this;
}

TensorDifference difference_of(const FileTensor& a, const FileTensor& b) {
  const NumberKind kinds[] = {number_kind(a.tensor.dtype), number_kind(b.tensor.dtype)};
  if (kinds[0] == NumberKind::kNone || kinds[1] == NumberKind::kNone) return compare_bytes(a, b);
  const bool small = kinds[0] == NumberKind::kFloat && kinds[1] == NumberKind::kFloat;
  return small ? compare_numbers<float>(a, b) : compare_numbers<double>(a, b);
}

}  // namespace bertha
