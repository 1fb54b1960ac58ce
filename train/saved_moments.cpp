#include "train/saved_moments.h"

#include <algorithm>

namespace bertha {
namespace {

// Calls f(range of the flat block, place in the moments) for every part of a tensor that lies in these shares.
template <class F>
void for_each_part(std::span<const IndexRange> shares, const PublishedTensor& tensor, F&& f) {
  int64_t moments = 0;
  for (const IndexRange share : shares) {
    const IndexRange part = {std::max(share.begin, tensor.offset),
                             std::min(share.end, tensor.offset + tensor.shape.numel())};
    if (part.begin < part.end) f(part, moments + part.begin - share.begin);
    moments += share.size();
  }
}

}  // namespace

SavedMoments::SavedMoments(Optimizer& optimizer, const ParameterStore& store, std::span<const Bucket> buckets,
                           Communicator& communicator)
    : optimizer_(optimizer), store_(store), buckets_(buckets.begin(), buckets.end()), communicator_(communicator) {}

void SavedMoments::read(const TrainingStateFile& file) {
  for (const Block& block : blocks()) {
    for (const PublishedTensor& tensor : store_.published()) {
      whole_.resize(static_cast<size_t>(tensor.shape.numel()));
      file.read_moment(block.name, tensor.name, tensor.shape, whole_);
      for_each_part(optimizer_.shares(), tensor, [&](IndexRange part, int64_t moments) {
        const auto elements = std::span(whole_).subspan(part.begin - tensor.offset, part.size());
        std::ranges::copy(elements, block.moments.begin() + moments);
      });
    }
  }
}

std::vector<Moment> SavedMoments::to_write() {
  std::vector<Moment> result;
  for (const Block& block : blocks()) {
    Moment& moment = result.emplace_back(Moment{
        block.name, {}, [this, moments = block.moments](size_t i) { return fetch(moments, store_.published()[i]); }});
    for (const PublishedTensor& tensor : store_.published()) moment.tensors.emplace_back(tensor.name, tensor.shape);
  }
  return result;
}

void SavedMoments::send() {
  for (const Block& block : blocks()) {
    for (const PublishedTensor& tensor : store_.published()) {
      for_each_part(shares_of(communicator_.rank()), tensor, [&](IndexRange part, int64_t moments) {
        communicator_.send(block.moments.subspan(moments, part.size()), 0);
      });
    }
  }
}

std::vector<SavedMoments::Block> SavedMoments::blocks() {
  return {{"first_moment", optimizer_.first_moments()}, {"second_moment", optimizer_.second_moments()}};
}

std::vector<IndexRange> SavedMoments::shares_of(int rank) const {
  std::vector<IndexRange> shares;
  for (const Bucket& bucket : buckets_) shares.push_back(bucket.share(rank));
  return shares;
}

std::span<const float> SavedMoments::fetch(std::span<const float> moments, const PublishedTensor& tensor) {
  if (buckets_.empty()) return moments.subspan(tensor.offset, tensor.shape.numel());
  whole_.resize(static_cast<size_t>(tensor.shape.numel()));
  const auto place_of = [&](IndexRange part) {
    return std::span(whole_).subspan(part.begin - tensor.offset, part.size());
  };
  for_each_part(shares_of(0), tensor, [&](IndexRange part, int64_t own) {
    std::ranges::copy(moments.subspan(own, part.size()), place_of(part).begin());
  });
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    for_each_part(shares_of(rank), tensor,
                  [&](IndexRange part, int64_t) { communicator_.receive(place_of(part), rank); });
  }
  return whole_;
}

}  // namespace bertha
