#include "train/partition.h"

#include <algorithm>

namespace bertha {
namespace {

constexpr int64_t kPieceSize = 1 << 14;

// The bounds of [begins.front(), end), cut into even shares at the nearest later beginning of a piece.
Bucket share_evenly(std::span<const int64_t> begins, int64_t end, int ranks) {
  const int64_t begin = begins.front();
  Bucket bucket{{begin}};
  for (int rank = 1; rank < ranks; ++rank) {
    const auto cut = std::ranges::lower_bound(begins, begin + rank_share(end - begin, rank, ranks).begin);
    bucket.bounds.push_back(cut == begins.end() ? end : *cut);
  }
  bucket.bounds.push_back(end);
  return bucket;
}

}  // namespace

std::vector<PublishedTensor> in_block_order(const ParameterStore& store) {
  std::vector<PublishedTensor> tensors = store.published();
  std::ranges::sort(tensors, {}, &PublishedTensor::offset);
  return tensors;
}

std::vector<Piece> cut_into_pieces(std::span<const PublishedTensor> tensors) {
  std::vector<Piece> pieces;
  for (size_t tensor = 0; tensor < tensors.size(); ++tensor) {
    const int64_t size = tensors[tensor].shape.numel();
    for (int64_t begin = 0; begin < size; begin += kPieceSize) {
      pieces.push_back({tensors[tensor].offset + begin, std::min(kPieceSize, size - begin), tensor});
    }
  }
  return pieces;
}

std::vector<Bucket> cut_into_buckets(const ParameterStore& store, int64_t bucket_bytes, int ranks) {
  const int64_t elements = bucket_bytes / static_cast<int64_t>(sizeof(float));
  std::vector<Bucket> buckets;
  std::vector<int64_t> begins;  // of the pieces of the next bucket
  for (const Piece& piece : cut_into_pieces(in_block_order(store))) {
    if (!begins.empty() && piece.offset - begins.front() >= elements) {
      buckets.push_back(share_evenly(begins, piece.offset, ranks));
      begins.clear();
    }
    begins.push_back(piece.offset);
  }
  if (!begins.empty()) buckets.push_back(share_evenly(begins, std::ssize(store.values()), ranks));
  return buckets;
}

}  // namespace bertha
