#include "train/slice_tree.h"

#include <algorithm>
#include <bit>

#include "autograd/core/parallel.h"
#include "train/add_to.h"

namespace bertha {
namespace {

constexpr int64_t kGrain = 1 << 16;
constexpr int64_t kCached = 1 << 13;  // elements that stay in the first cache while all nodes pass

void copy_all(std::span<const float> from, std::span<float> to) {
  parallel_for(std::ssize(from), kGrain, [&](int64_t begin, int64_t end) {
    std::copy(from.begin() + begin, from.begin() + end, to.begin() + begin);
  });
}

void add_all(std::span<float> sum, std::span<const float> addend) {
  parallel_for(std::ssize(sum), kGrain, [&](int64_t begin, int64_t end) {
    add_to(sum.subspan(begin, end - begin), addend.subspan(begin, end - begin));
  });
}

}  // namespace

SliceTree::SliceTree(int64_t slices, Communicator& communicator, std::span<float> gradients,
                     std::span<const Bucket> buckets, Sharding sharding)
    : slices_(slices),
      communicator_(communicator),
      gradients_(gradients),
      buckets_(buckets.begin(), buckets.end()),
      sharding_(sharding),
      range_(rank_slices(slices, communicator.rank(), communicator.size())),
      next_slice_(range_.begin) {
  plan_joins();
}

void SliceTree::add(int64_t slice) {
  check<Error>(slice == next_slice_ && slice < range_.end, "slice tree: slice ", slice, " added (slice ", next_slice_,
               " of [", range_.begin, ", ", range_.end, ") is next)");
  ++next_slice_;
  Node leaf{{0, slice}, gradients_, {}};
  const bool is_right_child = !nodes_.empty() && are_siblings(nodes_.back().place, leaf.place);
  if (next_slice_ < range_.end && !is_right_child) {
    leaf.memory = Tensor::uninitialized({std::ssize(gradients_)}, DType::f32);
    leaf.values = leaf.memory.span<float>();
    copy_all(gradients_, leaf.values);
  }
  nodes_.push_back(std::move(leaf));
  while (nodes_.size() >= 2 && are_siblings(nodes_[nodes_.size() - 2].place, nodes_.back().place)) join_last_two();
}

void SliceTree::finish() {
  check<Error>(next_slice_ == range_.end, "slice tree: finished before slice ", next_slice_, " of [", range_.begin,
               ", ", range_.end, ")");
  for (const Bucket& bucket : buckets_) {
    join_across_ranks(bucket);
    if (sharding_ == Sharding::kOff) communicator_.all_gather_shares(gradients_, bucket.bounds);
  }
  nodes_.clear();
  next_slice_ = range_.begin;
}

int64_t SliceTree::peak_blocks(IndexRange range) {
  size_t peak = 0;
  for (int64_t end = range.begin; end < range.end; ++end) peak = std::max(peak, places_of({range.begin, end}).size());
  return static_cast<int64_t>(peak);
}

bool SliceTree::are_siblings(Place left, Place right) {
  return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
}

// A node with all its slices becomes its parent.
SliceTree::Place SliceTree::parent(Place place) {
  return {place.level + 1, place.index / 2};
}

// The nodes that are left of these slices when all siblings are joined.
std::vector<SliceTree::Place> SliceTree::places_of(IndexRange range) {
  std::vector<Place> places;
  for (int64_t at = range.begin; at < range.end;) {
    int64_t size = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(range.end - at)));
    if (at > 0) size = std::min(size, at & -at);
    places.push_back({std::countr_zero(static_cast<uint64_t>(size)), at / size});
    at += size;
  }
  return places;
}

void SliceTree::plan_joins() {
  std::vector<std::pair<Place, size_t>> open;  // with the node that will hold their sum
  const auto join_last = [&] {
    joins_.emplace_back(open[open.size() - 2].second, open.back().second);
    open.pop_back();
    open.back().first = parent(open.back().first);
  };
  const auto joinable = [&] {
    return open.size() >= 2 && are_siblings(open[open.size() - 2].first, open.back().first);
  };
  size_t nodes = 0;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    first_node_.push_back(nodes);
    const std::vector<Place> places = places_of(rank_share(slices_, rank, communicator_.size()));
    rounds_ = std::max(rounds_, places.size());
    for (const Place place : places) {
      open.emplace_back(place, nodes++);
      while (joinable()) join_last();
    }
  }
  first_node_.push_back(nodes);
  kept_.resize(nodes);
  while (open.size() > 1) {
    while (!joinable()) open.back().first = parent(open.back().first);
    join_last();
  }
}

// Addition commutes, so the sum may be kept in either place; the last slice's is the one that stays.
void SliceTree::join_last_two() {
  Node right = std::move(nodes_.back());
  nodes_.pop_back();
  Node& left = nodes_.back();
  right.place = left.place = parent(left.place);
  if (next_slice_ == range_.end) {
    add_all(right.values, left.values);
    left = std::move(right);
  } else {
    add_all(left.values, right.values);
  }
}

// Round i exchanges the i-th node of every rank; a rank that has no more repeats its last.
void SliceTree::join_across_ranks(const Bucket& bucket) {
  const int64_t first = bucket.share(communicator_.rank()).begin;
  for (size_t round = 0; round < rounds_; ++round) {
    const std::span<float> sent = nodes_[std::min(round, nodes_.size() - 1)].values;
    communicator_.exchange_shares(sent, bucket.bounds, [&](int64_t begin, Shares by_rank) {
      if (round + 1 < rounds_) {
        keep(round, begin - first, by_rank);
      } else {
        join(nodes_at(begin, begin - first, by_rank), gradients_.subspan(begin, by_rank.front().size()));
      }
    });
  }
}

// What arrived before the last round; `at` counts from the beginning of the share.
void SliceTree::keep(size_t round, int64_t at, Shares by_rank) {
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    if (rank == communicator_.rank() || round >= node_count(rank)) continue;
    std::vector<float>& node = kept_[first_node_[rank] + round];
    node.resize(std::max(node.size(), at + by_rank[rank].size()));
    std::ranges::copy(by_rank[rank], node.begin() + at);
  }
}

std::vector<std::span<float>> SliceTree::nodes_at(int64_t begin, int64_t at, Shares by_rank) {
  std::vector<std::span<float>> nodes;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const size_t elements = by_rank[rank].size();
    for (size_t number = 0; number < node_count(rank); ++number) {
      if (rank == communicator_.rank()) {
        nodes.push_back(nodes_[number].values.subspan(begin, elements));
      } else if (number + 1 == rounds_) {
        nodes.push_back(by_rank[rank]);
      } else {
        nodes.push_back(std::span(kept_[nodes.size()]).subspan(at, elements));
      }
    }
  }
  return nodes;
}

void SliceTree::join(Shares nodes, std::span<float> sum) const {
  parallel_for(std::ssize(sum), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kCached) {
      const auto part = [&](std::span<float> all) { return all.subspan(at, std::min(kCached, end - at)); };
      for (const auto& [left, right] : joins_) add_to(part(nodes[left]), part(nodes[right]));
      if (nodes.front().data() != sum.data()) std::ranges::copy(part(nodes.front()), part(sum).begin());
    }
  });
}

size_t SliceTree::node_count(int rank) const {
  return first_node_[rank + 1] - first_node_[rank];
}

}  // namespace bertha
