#include "visualize/principal_components.h"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

constexpr int64_t kBlockRows = 2048;  // fixed, so that sums are the same every time

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

Vector mean_of(const Tensor& vectors) {
  Vector mean = Vector::Zero(vectors.cols());
  const float* row = vectors.data<float>();
  for (int64_t i = 0; i < vectors.rows(); ++i, row += vectors.cols()) {
    mean += Eigen::Map<const Eigen::VectorXf>(row, vectors.cols()).cast<double>();
  }
  return mean / static_cast<double>(vectors.rows());
}

/// Calls f(first row, block) with the centred vectors in double, a block of rows after the other.
template <class F>
void for_each_centered_block(const Tensor& vectors, const Vector& mean, F&& f) {
  const int64_t hidden = vectors.cols();
  for (int64_t begin = 0; begin < vectors.rows(); begin += kBlockRows) {
    Tensor block = Tensor::uninitialized({std::min(kBlockRows, vectors.rows() - begin), hidden}, DType::f64);
    const float* in = vectors.data<float>() + begin * hidden;
    double* out = block.data<double>();
    for (int64_t i = 0; i < block.numel(); ++i) out[i] = in[i] - mean[i % hidden];
    f(begin, block);
  }
}

Matrix covariance_of(const Tensor& vectors, const Vector& mean) {
  const int64_t hidden = vectors.cols();
  Tensor products = Tensor::zeros({hidden, hidden}, DType::f64);
  for_each_centered_block(vectors, mean, [&](int64_t, const Tensor& block) {
    matmul(kernels::kYes, kernels::kNo, block, block, 1, products);
  });
  return Eigen::Map<const Matrix>(products.data<double>(), hidden, hidden) / static_cast<double>(vectors.rows() - 1);
}

void fix_sign(Eigen::Ref<Vector> component) {
  Eigen::Index largest = 0;
  component.cwiseAbs().maxCoeff(&largest);
  if (component[largest] < 0) component = -component;
}

Tensor scores_of(const Tensor& vectors, const Vector& mean, const Matrix& components) {
  Tensor basis = Tensor::uninitialized({components.rows(), components.cols()}, DType::f64);
  Eigen::Map<Matrix>(basis.data<double>(), components.rows(), components.cols()) = components;
  Tensor scores = Tensor::uninitialized({vectors.rows(), basis.cols()}, DType::f32);
  for_each_centered_block(vectors, mean, [&](int64_t begin, const Tensor& block) {
    Tensor part = Tensor::uninitialized({block.rows(), basis.cols()}, DType::f64);
    matmul(kernels::kNo, kernels::kNo, block, basis, 0, part);
    std::ranges::transform(part.span<double>(), scores.data<float>() + begin * basis.cols(),
                           [](double x) { return static_cast<float>(x); });
  });
  return scores;
}

}  // namespace

PrincipalComponents principal_components(const Tensor& vectors, int64_t count) {
  check(vectors.rows() >= 2, "principal components: ", vectors.rows(), " vectors (two or more)");
  const Vector mean = mean_of(vectors);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(covariance_of(vectors, mean));  // the smallest first
  check<Error>(solver.info() == Eigen::Success, "principal components: the eigenvalues were not found");
  const int64_t kept = std::min(count, vectors.cols());
  Matrix components = solver.eigenvectors().rightCols(kept).rowwise().reverse();
  const Vector variances = solver.eigenvalues().cwiseMax(0);  // rounding may leave less than nothing
  const double all = variances.sum();
  PrincipalComponents result;
  for (int64_t i = 0; i < kept; ++i) {
    Vector component = components.col(i);
    fix_sign(component);
    components.col(i) = component;
    result.explained.push_back(all > 0 ? variances[vectors.cols() - 1 - i] / all : 0);
  }
  result.scores = scores_of(vectors, mean, components);
  return result;
}

}  // namespace bertha
