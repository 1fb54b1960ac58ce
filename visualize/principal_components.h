#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensor.h"

namespace bertha {

/// The directions in which vectors vary most, and where the vectors lie along them.
struct PrincipalComponents {
  Tensor scores;                       // (P, C) float: the centred vectors' lengths along the components
  std::vector<double> explained = {};  // (C): their shares of all variance, the largest first; 0 where none varies
};

/// Exact: all eigenvectors of the covariance, which is summed in double. The bits do not depend on the number of
/// threads. A component's sign is the one that makes its entry of the largest magnitude positive.
/// Source: Pearson 1901; Jolliffe 2002, "Principal Component Analysis", §3.
/// Shapes: vectors (P, H) float, P >= 2; C = min(count, H).
PrincipalComponents principal_components(const Tensor& vectors, int64_t count);

}  // namespace bertha
