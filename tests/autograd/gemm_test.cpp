#include "autograd/kernels/gemm.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/core/random.h"

namespace bertha::kernels {
namespace {

template <class T>
std::vector<T> random_matrix(int64_t elements, uint64_t which) {
  RandomStream random(5, "gemm", which);
  std::vector<T> values(static_cast<size_t>(elements));
  for (T& x : values) x = T(static_cast<Precise<T>>(random.normal()));
  return values;
}

template <class Isa, class A, class B, class C>
std::vector<C> product(const GemmShape& s, const std::vector<A>& a, const std::vector<B>& b,
                       const std::vector<Precise<C>>& bias, double beta, std::vector<C> c) {
  std::vector<double> scratch(static_cast<size_t>(gemm_scratch_bytes<Isa, A, B, C>(s)) / 8 + 1);
  gemm<Isa>(s, a.data(), b.data(), bias.empty() ? nullptr : bias.data(), beta, c.data(),
            reinterpret_cast<std::byte*>(scratch.data()));
  return c;
}

const std::vector<GemmShape> kShapes = {{kNo, kYes, 1, 1, 1},     {kNo, kNo, 7, 5, 3},      {kYes, kNo, 49, 9, 33},
                                        {kYes, kYes, 17, 97, 64}, {kNo, kYes, 65, 50, 129}, {kNo, kNo, 8, 48, 1031},
                                        {kYes, kNo, 200, 31, 17}, {kNo, kYes, 3, 700, 40},  {kNo, kNo, 130, 47, 2},
                                        {kNo, kYes, 16, 96, 4500}};

// Every element against a sum in double, relative to the sum of the products' sizes.
template <class Isa, class A, class B, class C>
void expect_products_agree(double tolerance) {
  for (const GemmShape& s : kShapes) {
    const auto a = random_matrix<A>(s.m * s.k, 1);
    const auto b = random_matrix<B>(s.k * s.n, 2);
    const auto bias = random_matrix<Precise<C>>(s.n, 3);
    const auto before = random_matrix<C>(s.m * s.n, 4);
    const auto c = product<Isa, A, B, C>(s, a, b, bias, 1, before);
    for (int64_t i = 0; i < s.m; ++i) {
      for (int64_t j = 0; j < s.n; ++j) {
        const auto at = static_cast<size_t>(i * s.n + j);
        double sum = static_cast<double>(static_cast<Precise<C>>(before[at])) + static_cast<double>(bias[j]);
        double size = std::abs(sum);
        for (int64_t k = 0; k < s.k; ++k) {
          const double x = static_cast<Precise<A>>(a[s.transpose_a == kYes ? k * s.m + i : i * s.k + k]);
          double y = static_cast<Precise<B>>(b[s.transpose_b == kYes ? j * s.k + k : k * s.n + j]);
          if (std::is_same_v<A, bfloat16>) y = static_cast<float>(bfloat16(static_cast<float>(y)));
          sum += x * y;
          size += std::abs(x * y);
        }
        ASSERT_NEAR(static_cast<double>(static_cast<Precise<C>>(c[at])), sum, tolerance * size)
            << s.m << " " << s.n << " " << s.k << " at " << i << ", " << j;
      }
    }
  }
}

TEST(Gemm, Avx2AgreesWithASumInDouble) {
  expect_products_agree<Avx2, float, float, float>(4e-7);
  expect_products_agree<Avx2, double, double, double>(1e-15);
}

TEST(Gemm, Avx512AgreesWithASumInDouble) {
  if (!has_avx512()) GTEST_SKIP() << "this processor has no AVX-512";
  expect_products_agree<Avx512, float, float, float>(4e-7);
}

template <class Isa>
void expect_bf16_products_agree() {
  expect_products_agree<Isa, bfloat16, float, float>(1e-6);
  expect_products_agree<Isa, bfloat16, bfloat16, float>(1e-6);
  expect_products_agree<Isa, bfloat16, float, bfloat16>(1.0 / 256);
}

TEST(Gemm, Bf16AgreesWithASumInDouble) {
  if (!has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  expect_bf16_products_agree<Avx512>();
}

TEST(Gemm, AmxAgreesWithASumInDouble) {
  if (!has_amx()) GTEST_SKIP() << "this processor has no AMX_BF16";
  expect_bf16_products_agree<Amx>();
}

template <class Isa>
void expect_a_long_sum_is_rounded_once() {
  const GemmShape s = {kNo, kYes, 9, 50, 20001};
  const auto a = random_matrix<bfloat16>(s.m * s.k, 1);
  const auto b = random_matrix<float>(s.k * s.n, 2);
  const auto precise = product<Isa, bfloat16, float, float>(s, a, b, {}, 0, std::vector<float>(9 * 50));
  const auto rounded = product<Isa, bfloat16, float, bfloat16>(s, a, b, {}, 0, std::vector<bfloat16>(9 * 50));
  for (size_t i = 0; i < precise.size(); ++i) EXPECT_EQ(rounded[i].bits, bfloat16(precise[i]).bits);
}

// The result is rounded to bf16 once, however long the sum.
TEST(Gemm, ALongBf16SumIsRoundedOnce) {
  if (!has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  expect_a_long_sum_is_rounded_once<Avx512>();
  if (has_amx()) expect_a_long_sum_is_rounded_once<Amx>();
}

template <class Isa, class A, class C>
void expect_same_bits_on_any_threads(const GemmShape& s) {
  const auto a = random_matrix<A>(s.m * s.k, 1);
  const auto b = random_matrix<A>(s.k * s.n, 2);
  const std::vector<C> nan(static_cast<size_t>(s.m * s.n), std::numeric_limits<C>::quiet_NaN());
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = product<Isa, A, A, C>(s, a, b, {}, 0, nan);
  for (const int threads : {2, 3}) {
    omp_set_num_threads(threads);
    EXPECT_EQ((product<Isa, A, A, C>(s, a, b, {}, 0, nan)), one) << s.m << " " << s.n << " " << s.k;
  }
  omp_set_num_threads(before);
}

// Deterministic training rests on this.
TEST(Gemm, TheNumberOfThreadsDoesNotChangeABit) {
  for (const GemmShape& s : {GemmShape{kNo, kYes, 2048, 768, 768}, GemmShape{kYes, kNo, 768, 768, 2048},
                             GemmShape{kNo, kYes, 307, 8192, 256}, GemmShape{kYes, kNo, 8192, 256, 307},
                             GemmShape{kNo, kNo, 307, 256, 8192}}) {
    expect_same_bits_on_any_threads<Avx2, float, float>(s);
    if (has_avx512()) expect_same_bits_on_any_threads<Avx512, float, float>(s);
    if (has_bf16()) expect_same_bits_on_any_threads<Avx512, bfloat16, float>(s);
    if (has_amx()) expect_same_bits_on_any_threads<Amx, bfloat16, float>(s);
  }
}

TEST(Gemm, BetaOverwritesOrAdds) {
  const std::vector<double> a = {1, 2, 3, 4};  // (2, 2)
  const std::vector<double> b = {5, 6, 7, 8};
  const std::vector<double> nan(4, std::numeric_limits<double>::quiet_NaN());
  const auto first = product<Avx2>({kNo, kNo, 2, 2, 2}, a, b, {}, 0, nan);
  EXPECT_EQ(first, (std::vector<double>{19, 22, 43, 50}));
  EXPECT_EQ(product<Avx2>({kYes, kNo, 2, 2, 2}, a, b, {}, 1, first),
            (std::vector<double>{19 + 26, 22 + 30, 43 + 38, 50 + 44}));
}

TEST(Gemm, AProductOfNothingIsTheBias) {
  const std::vector<double> nothing;
  const std::vector<double> nan(4, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(product<Avx2>({kNo, kNo, 2, 2, 0}, nothing, nothing, {}, 0, nan), std::vector<double>(4, 0.0));
  EXPECT_EQ(product<Avx2>({kNo, kNo, 2, 2, 0}, nothing, nothing, {5, 6}, 0, nan), (std::vector<double>{5, 6, 5, 6}));
}

}  // namespace
}  // namespace bertha::kernels
