#include "autograd/kernels/cross_entropy.h"

#include <cmath>
#include <limits>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

// A vector of logits + bias; lanes past the end hold minus infinity, which neither the maximum nor the sum sees.
template <class T>
Vec<T> biased(const T* logits, const T* bias, int64_t count) {
  Vec<T> v = simd::load(logits, count) + simd::load(bias, count);
  for (int64_t lane = count; lane < simd::kWidth<T>; ++lane) v[lane] = -std::numeric_limits<T>::infinity();
  return v;
}

template <class T>
T row_maximum(int64_t classes, const T* logits, const T* bias) {
  Vec<T> maximum = simd::broadcast(-std::numeric_limits<T>::infinity());
  for (int64_t j = 0; j < classes; j += simd::kWidth<T>) {
    maximum = simd::max(maximum, biased(logits + j, bias + j, classes - j));
  }
  T result = maximum[0];
  for (int lane = 1; lane < simd::kWidth<T>; ++lane) result = std::max(result, maximum[lane]);
  return result;
}

}  // namespace

template <class T>
void cross_entropy(int64_t rows, int64_t classes, const T* logits, const T* bias, const int32_t* labels, T* log_sum_exp,
                   T* loss, uint8_t* correct) {
  parallel_for(rows, 4, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* values = logits + row * classes;
      const T maximum = row_maximum(classes, values, bias);
      Vec<T> total{};
      for (int64_t j = 0; j < classes; j += simd::kWidth<T>) {
        total += simd::exp(biased(values + j, bias + j, classes - j) - maximum);
      }
      const T label_logit = values[labels[row]] + bias[labels[row]];
      log_sum_exp[row] = maximum + std::log(simd::sum_of<T>(total));
      loss[row] = log_sum_exp[row] - label_logit;
      correct[row] = label_logit == maximum;
    }
  });
}

template <class T>
void cross_entropy_backward(int64_t rows, int64_t classes, T* logits, const T* bias, const int32_t* labels,
                            const T* log_sum_exp, T scale) {
  parallel_for(rows, 4, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      T* values = logits + row * classes;
      for (int64_t j = 0; j < classes; j += simd::kWidth<T>) {
        const Vec<T> logit = simd::load(values + j, classes - j) + simd::load(bias + j, classes - j);
        simd::store(values + j, scale * simd::exp(logit - log_sum_exp[row]), classes - j);
      }
      values[labels[row]] -= scale;
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                                          \
  template void cross_entropy(int64_t, int64_t, const T*, const T*, const int32_t*, T*, T*, uint8_t*); \
  template void cross_entropy_backward(int64_t, int64_t, T*, const T*, const int32_t*, const T*, T);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
