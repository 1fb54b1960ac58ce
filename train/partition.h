#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/micro_slices.h"
#include "nn/parameter.h"

namespace bertha {

/// A part of one published tensor: what one thread of an optimiser works on at a time. Sums over a tensor or a model
/// are sums of its pieces' sums, so their bits depend on no number of threads or ranks.
struct Piece {
  int64_t offset = 0;  // of its first element in the flat block
  int64_t size = 0;
  size_t tensor = 0;  // place among the published tensors in the order of the flat block
};

/// What ranks exchange at once: a run of pieces in the flat block, of which every rank has a share of about equal size.
struct Bucket {
  std::vector<int64_t> bounds;  // rank r's share is [bounds[r], bounds[r + 1]); every bound begins a piece

  int64_t begin() const { return bounds.front(); }
  int64_t end() const { return bounds.back(); }
  IndexRange share(int rank) const { return {bounds[rank], bounds[rank + 1]}; }
};

/// Whether every rank updates all parameters, or its shares only.
enum class Sharding { kOff, kOn };

/// The published tensors in the order of the flat block.
std::vector<PublishedTensor> in_block_order(const ParameterStore& store);

/// Both in the order of the flat block; buckets cover it whole, gaps between parameters included. A bucket holds about
/// `bucket_bytes`.
std::vector<Piece> cut_into_pieces(std::span<const PublishedTensor> tensors);
std::vector<Bucket> cut_into_buckets(const ParameterStore& store, int64_t bucket_bytes, int ranks);

}  // namespace bertha
