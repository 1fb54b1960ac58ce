#include "autograd/kernels/dropout.h"

#include <algorithm>

#include "autograd/core/parallel.h"

namespace bertha::kernels {
namespace {

constexpr int kCounters = kDropoutGroup / 8;  // a counter yields 128 bits: eight draws

// Philox4x32-10 on kCounters counters at once, word by word so that the compiler vectorises each round.
struct PhiloxBlock {
  uint32_t words[4][kCounters];

  void run(uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < kCounters; ++i) {
        const uint64_t product0 = uint64_t{0xD2511F53u} * words[0][i];
        const uint64_t product1 = uint64_t{0xCD9E8D57u} * words[2][i];
        const auto high0 = static_cast<uint32_t>(product0 >> 32);
        const auto high1 = static_cast<uint32_t>(product1 >> 32);
        words[0][i] = high1 ^ words[1][i] ^ key0;
        words[2][i] = high0 ^ words[3][i] ^ key1;
        words[1][i] = static_cast<uint32_t>(product1);
        words[3][i] = static_cast<uint32_t>(product0);
      }
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
  }
};

}  // namespace

template <class T>
void dropout_factors(const Dropout& dropout, uint64_t row_key, uint32_t lane, int64_t group, T* factors) {
  PhiloxBlock block;
  for (int i = 0; i < kCounters; ++i) {
    block.words[0][i] = static_cast<uint32_t>(row_key);
    block.words[1][i] = static_cast<uint32_t>(row_key >> 32);
    block.words[2][i] = dropout.step;
    block.words[3][i] = lane << 16 | static_cast<uint32_t>(group * kCounters + i);
  }
  block.run(static_cast<uint32_t>(dropout.key), static_cast<uint32_t>(dropout.key >> 32));
  const T kept = T{65536} / static_cast<T>(65536 - dropout.threshold);
  for (int part = 0; part < 8; ++part) {
    const int shift = part % 2 * 16;
    for (int i = 0; i < kCounters; ++i) {
      const uint32_t draw = block.words[part / 2][i] >> shift & 0xFFFFu;
      factors[part * kCounters + i] = draw < dropout.threshold ? T{0} : kept;
    }
  }
}

template <class T>
void dropout(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, T beta, T* y) {
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    T factors[kDropoutGroup];
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t first = 0; first < cols; first += kDropoutGroup) {
        dropout_factors(dropout, dropout.row_keys[row], 0, first / kDropoutGroup, factors);
        const int64_t at = row * cols + first;
        const int64_t count = std::min(kDropoutGroup, cols - first);
        for (int64_t j = 0; j < count; ++j) y[at + j] = x[at + j] * factors[j] + (beta == 0 ? T{0} : y[at + j]);
      }
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                     \
  template void dropout_factors(const Dropout&, uint64_t, uint32_t, int64_t, T*); \
  template void dropout(const Dropout&, int64_t, int64_t, const T*, T, T*);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
