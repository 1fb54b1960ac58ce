#pragma once

#include <cstdint>
#include <functional>

#include "nn/parameter.h"

namespace bertha {

/// Learning-rate scales that fall from the top: 1 for heads, `decay` for the highest layer, decay^2 for the one below,
/// and the smallest for the embeddings. Source: Howard and Ruder 2018 (arXiv:1801.06146) §3.2, as used with BERT by Sun
/// et al. 2019 (arXiv:1905.05583) §5.3.4.
std::function<double(const PublishedTensor&)> layer_decay(int64_t layers, double decay);

}  // namespace bertha
