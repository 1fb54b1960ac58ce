#include "train/slice_tree.h"

#include <algorithm>
#include <bit>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

constexpr int64_t kGrain = 1 << 16;
constexpr int64_t kMessage = 1 << 20;  // elements; a whole block more to receive into would be memory for nothing

void copy(std::span<const float> from, std::span<float> to) {
  parallel_for(std::ssize(from), kGrain, [&](int64_t begin, int64_t end) {
    std::copy(from.begin() + begin, from.begin() + end, to.begin() + begin);
  });
}

void add_to(std::span<float> sum, std::span<const float> addend) {
  parallel_for(std::ssize(sum), kGrain, [&](int64_t begin, int64_t end) {
    float* __restrict__ left = sum.data();
    const float* right = addend.data();
    for (int64_t i = begin; i < end; ++i) left[i] += right[i];
  });
}

}  // namespace

SliceTree::SliceTree(int64_t slices, Communicator& communicator, int64_t elements)
    : slices_(slices),
      communicator_(communicator),
      elements_(elements),
      range_(rank_share(slices, communicator.rank(), communicator.size())),
      next_slice_(range_.begin) {
  if (communicator.size() > 1) received_ = Tensor::uninitialized({std::min(kMessage, elements)}, DType::f32);
}

void SliceTree::add(int64_t slice, std::span<const float> gradient) {
  check<Error>(slice == next_slice_ && slice < range_.end, "slice tree: slice ", slice, " added (slice ", next_slice_,
               " of [", range_.begin, ", ", range_.end, ") is next)");
  check(std::ssize(gradient) == elements_, "slice tree: gradient of ", gradient.size(), " elements (", elements_, ")");
  ++next_slice_;
  Node leaf{0, slice, {}};
  if (!nodes_.empty() && are_siblings(nodes_.back(), leaf)) {
    add_to(nodes_.back().value.span<float>(), gradient);
    raise(nodes_.back());
  } else {
    leaf.value = Tensor::uninitialized({elements_}, DType::f32);
    copy(gradient, leaf.value.span<float>());
    nodes_.push_back(std::move(leaf));
  }
  while (nodes_.size() >= 2 && are_siblings(nodes_[nodes_.size() - 2], nodes_.back())) join_last_two();
}

void SliceTree::finish(std::span<float> sum) {
  check<Error>(next_slice_ == range_.end, "slice tree: finished before slice ", next_slice_, " of [", range_.begin,
               ", ", range_.end, ")");
  check(std::ssize(sum) == elements_, "slice tree: sum of ", sum.size(), " elements (", elements_, ")");
  for (int level = 0; (int64_t{1} << level) < slices_; ++level) join_across_ranks(level);
  if (!nodes_.empty()) copy(nodes_.front().value.span<float>(), sum);
  communicator_.broadcast(std::as_writable_bytes(sum), owner_of(0));
  nodes_.clear();
  next_slice_ = range_.begin;
}

int64_t SliceTree::peak_blocks(IndexRange range) {
  int64_t peak = 0;
  for (int64_t added = range.begin + 1; added <= range.end; ++added) {
    int64_t blocks = 0;
    for (int64_t at = range.begin; at < added; ++blocks) {
      const auto left = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(added - at)));
      at += at == 0 ? left : std::min(left, at & -at);
    }
    peak = std::max(peak, blocks);
  }
  return peak;
}

bool SliceTree::are_siblings(const Node& left, const Node& right) {
  return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
}

// A node with all its slices becomes its parent.
void SliceTree::raise(Node& node) {
  ++node.level;
  node.index /= 2;
}

void SliceTree::join_last_two() {
  const Tensor right = std::move(nodes_.back().value);
  nodes_.pop_back();
  add_to(nodes_.back().value.span<float>(), right.span<float>());
  raise(nodes_.back());
}

// Nodes between the first and the last one have their siblings here. A rank sends before it receives and only to lower
// ranks, so the lowest always receives and nobody waits for ever.
void SliceTree::join_across_ranks(int level) {
  if (nodes_.empty()) return;
  if (nodes_.front().level == level && nodes_.front().index % 2 == 1) {
    send_to_left_sibling(nodes_.front());
    nodes_.erase(nodes_.begin());
  }
  if (nodes_.empty() || nodes_.back().level != level) return;
  if (nodes_.back().index % 2 == 1) return join_last_two();
  add_right_sibling(nodes_.back());
  raise(nodes_.back());
}

void SliceTree::send_to_left_sibling(const Node& node) {
  const int owner = owner_of((node.index - 1) << node.level);
  const std::span<const float> values = node.value.span<float>();
  for (int64_t at = 0; at < elements_; at += kMessage) {
    communicator_.send(values.subspan(at, std::min(kMessage, elements_ - at)), owner);
  }
}

void SliceTree::add_right_sibling(Node& node) {
  const int64_t right = (node.index + 1) << node.level;
  if (right >= slices_) return;
  const int owner = owner_of(right);
  const std::span<float> values = node.value.span<float>();
  for (int64_t at = 0; at < elements_; at += kMessage) {
    const std::span<float> piece = received_.span<float>().first(std::min(kMessage, elements_ - at));
    communicator_.receive(piece, owner);
    add_to(values.subspan(at, piece.size()), piece);
  }
}

int SliceTree::owner_of(int64_t slice) const {
  int rank = 0;
  while (rank_share(slices_, rank, communicator_.size()).end <= slice) ++rank;
  return rank;
}

}  // namespace bertha
