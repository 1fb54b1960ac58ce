#include "autograd/kernels/cross_entropy.h"

#include <cmath>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

template <class P>
P row_maximum(const P* row, int64_t classes) {
  constexpr int64_t kWidth = simd::kWidth<P>;
  Vec<P> maxima = simd::broadcast(row[0]);
  int64_t j = 0;
  for (; j + kWidth <= classes; j += kWidth) maxima = simd::max(maxima, simd::load(row + j));
  P maximum = simd::maximum_of(maxima);
  for (; j < classes; ++j) maximum = std::max(maximum, row[j]);
  return maximum;
}

// Replaces the row by e^(row - maximum) and returns its sum.
template <class P>
P exponentiate(P* row, int64_t classes, P maximum) {
  constexpr int64_t kWidth = simd::kWidth<P>;
  Vec<P> total{};
  int64_t j = 0;
  for (; j + kWidth <= classes; j += kWidth) {
    const Vec<P> e = simd::exp(simd::load(row + j) - maximum);
    simd::store(row + j, e);
    total += e;
  }
  simd::store(row + j, simd::exp(simd::load(row + j, classes - j) - maximum), classes - j);
  P sum = simd::sum_of(total);
  for (; j < classes; ++j) sum += row[j];
  return sum;
}

}  // namespace

template <class Isa, class T>
void cross_entropy(int64_t rows, int64_t classes, Precise<T>* logits, const int32_t* labels, double scale,
                   double* losses, uint8_t* correct, T* dlogits) {
  using P = Precise<T>;
  parallel_for(rows, 4, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      P* row = logits + i * classes;
      const int32_t label = labels[i];
      const P maximum = row_maximum(row, classes);
      const P to_label = row[label] - maximum;
      const P sum = exponentiate(row, classes, maximum);
      losses[i] = std::log(sum) - to_label;
      correct[i] = to_label == 0;
      if (!dlogits) continue;
      const P factor = static_cast<P>(scale) / sum;
      const P at_label = static_cast<P>(scale) * (row[label] / sum - 1);
      T* gradient = dlogits + i * classes;
      for (int64_t j = 0; j < classes; j += simd::kWidth<T>) {
        simd::store(gradient + j, factor * simd::load(row + j, classes - j), classes - j);
      }
      gradient[label] = T(at_label);
    }
  });
}

#define BERTHA_INSTANTIATE(T) \
  template void cross_entropy<BERTHA_ISA>(int64_t, int64_t, Precise<T>*, const int32_t*, double, double*, uint8_t*, T*);
BERTHA_INSTANTIATE_ALL

}  // namespace bertha::kernels
