#include "autograd/kernels/cross_entropy.h"

#include <cmath>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

// The row from `j` on; lanes past its end hold minus infinity, which neither the maximum nor the sum sees.
template <class P>
Vec<P> part(const P* row, int64_t j, int64_t classes) {
  Vec<P> v = simd::load(row + j, classes - j);
  for (int64_t lane = classes - j; lane < simd::kWidth<P>; ++lane) v[lane] = -std::numeric_limits<P>::infinity();
  return v;
}

template <class P>
P row_maximum(const P* row, int64_t classes) {
  Vec<P> maximum = simd::broadcast(-std::numeric_limits<P>::infinity());
  for (int64_t j = 0; j < classes; j += simd::kWidth<P>) maximum = simd::max(maximum, part(row, j, classes));
  return simd::maximum_of(maximum);
}

template <class P>
P row_log_sum_exp(const P* row, int64_t classes, P maximum) {
  Vec<P> total{};
  for (int64_t j = 0; j < classes; j += simd::kWidth<P>) total += simd::exp(part(row, j, classes) - maximum);
  return maximum + std::log(simd::sum_of(total));
}

template <class T>
void row_gradient(const Precise<T>* row, int64_t classes, int32_t label, Precise<T> log_sum_exp, Precise<T> scale,
                  T* gradient) {
  const Precise<T> at_label = scale * (std::exp(row[label] - log_sum_exp) - 1);
  for (int64_t j = 0; j < classes; j += simd::kWidth<T>) {
    const int64_t count = classes - j;
    simd::store(gradient + j, scale * simd::exp(simd::load(row + j, count) - log_sum_exp), count);
  }
  gradient[label] = T(at_label);
}

}  // namespace

template <class Isa, class T>
void cross_entropy(int64_t rows, int64_t classes, const Precise<T>* logits, const int32_t* labels, double scale,
                   double* losses, uint8_t* correct, T* dlogits) {
  using P = Precise<T>;
  parallel_for(rows, 4, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const P* row = logits + i * classes;
      const P maximum = row_maximum(row, classes);
      const P log_sum_exp = row_log_sum_exp(row, classes, maximum);
      losses[i] = log_sum_exp - row[labels[i]];
      correct[i] = row[labels[i]] == maximum;
      if (dlogits) {
        row_gradient(row, classes, labels[i], log_sum_exp, static_cast<P>(scale), dlogits + i * classes);
      }
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                                                   \
  template void cross_entropy<BERTHA_ISA>(int64_t, int64_t, const Precise<T>*, const int32_t*, double, double*, \
                                          uint8_t*, T*);
BERTHA_INSTANTIATE_ALL

}  // namespace bertha::kernels
