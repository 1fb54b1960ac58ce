#include "autograd/kernels/gemm.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <limits>
#include <vector>

#include "autograd/core/random.h"

namespace bertha::kernels {
namespace {

std::vector<float> random_matrix(int64_t elements, uint64_t which) {
  RandomStream random(5, "gemm", which);
  std::vector<float> values(static_cast<size_t>(elements));
  for (float& x : values) x = static_cast<float>(random.normal());
  return values;
}

struct Product {
  Transpose a, b;
  int64_t m, n, k;
};

std::vector<float> multiply(const Product& p, int threads) {
  const auto a = random_matrix(p.m * p.k, 1);
  const auto b = random_matrix(p.k * p.n, 2);
  std::vector<float> c(static_cast<size_t>(p.m * p.n), std::numeric_limits<float>::quiet_NaN());
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  gemm(p.a, p.b, p.m, p.n, p.k, a.data(), b.data(), 0.0f, c.data());
  omp_set_num_threads(before);
  return c;
}

// Deterministic training rests on this.
TEST(Gemm, OneAndTwoThreadsGiveTheSameBits) {
  for (const Product& p :
       {Product{kNo, kYes, 2048, 768, 768}, Product{kNo, kNo, 2048, 768, 768}, Product{kYes, kNo, 768, 768, 2048},
        Product{kNo, kYes, 307, 8192, 256}, Product{kYes, kNo, 8192, 256, 307}, Product{kNo, kNo, 307, 256, 8192}}) {
    EXPECT_EQ(multiply(p, 1), multiply(p, 2)) << p.m << " " << p.n << " " << p.k;
  }
}

TEST(Gemm, BetaOverwritesOrAdds) {
  const std::vector<double> a = {1, 2, 3, 4};  // (2, 2)
  const std::vector<double> b = {5, 6, 7, 8};
  std::vector<double> c(4, std::numeric_limits<double>::quiet_NaN());
  gemm(kNo, kNo, 2, 2, 2, a.data(), b.data(), 0.0, c.data());
  EXPECT_EQ(c, (std::vector<double>{19, 22, 43, 50}));
  gemm(kYes, kNo, 2, 2, 2, a.data(), b.data(), 1.0, c.data());
  EXPECT_EQ(c, (std::vector<double>{19 + 26, 22 + 30, 43 + 38, 50 + 44}));
}

TEST(Gemm, AProductOfNothingIsZero) {
  std::vector<double> c(4, std::numeric_limits<double>::quiet_NaN());
  gemm<double>(kNo, kNo, 2, 2, 0, nullptr, nullptr, 0.0, c.data());
  EXPECT_EQ(c, std::vector<double>(4, 0.0));
}

}  // namespace
}  // namespace bertha::kernels
