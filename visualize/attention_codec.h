#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "visualize/attention_capture.h"

namespace bertha {

/// Queries and keys of one layer as a page holds them, from which it computes every weight: softmax(q k' / sqrt(D)).
///
/// A row of D numbers of one token and head is whole numbers of `bits` bits, counted from 2^(bits - 1), times a scale.
/// The bytes are, little-endian: the scales as float, (2, A, n) with queries first; then the upper 8 bits of every
/// number, the next 8, and, where `bits` > 16, the rest, each (2, A, n, D). Apart, they compress.
struct PackedLayer {
  std::vector<std::byte> bytes;
  int bits = 0;
  double error = 0;  // the largest difference between a weight that the page computes and the model's own
};

/// As few bits, from 16 to 24, as keep the error within 2e-6, where 24 do.
PackedLayer pack_layer(const LayerAttention& layer);

}  // namespace bertha
