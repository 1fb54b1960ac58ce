#include "train/inspect/order_search.h"

#include <algorithm>
#include <numeric>

namespace bertha {
namespace {

// For each digit, how many keys have a smaller one; last, how many there are.
template <class Counts>
std::vector<int64_t> counts_below(const Counts& counts) {
  std::vector<int64_t> below(counts.size() + 1);
  for (size_t digit = 0; digit < counts.size(); ++digit) below[digit + 1] = below[digit] + counts[digit];
  return below;
}

template <class Counts>
void add_to(Counts& sums, const Counts& counts) {
  for (size_t digit = 0; digit < counts.size(); ++digit) sums[digit] += counts[digit];
}

}  // namespace

template <class T>
OrderSearch<T>::OrderSearch(int threads, size_t most) : most_(most), threads_(static_cast<size_t>(threads)) {}

template <class T>
void OrderSearch<T>::add(std::span<const T> values, int number) {
  Thread& thread = threads_[number];
  if (known_bits_ == 0) {
    thread.first.resize(size_t{1} << kFirstBits);
    int64_t* const counts = thread.first.data();
#pragma GCC unroll 8
    for (const T value : values) ++counts[bits_of(value) >> (kKeyBits<T> - kFirstBits)];
    return;
  }
  const int unknown = kKeyBits<T> - known_bits_;
  for (const T value : find_hits(values, thread)) {
    const Key key = ordered_key(value);
    const size_t node = node_of(key >> unknown);
    if (node == nodes_.size() || nodes_[node] != key >> unknown) continue;
    if (collects_) {
      thread.collected[node].push_back(key);
    } else {
      ++thread.more[node][key >> (unknown - kMoreBits) & ((1 << kMoreBits) - 1)];
    }
  }
}

// Those whose first bits are searched: few as a rule, but at no place that a processor could foresee.
template <class T>
std::span<const T> OrderSearch<T>::find_hits(std::span<const T> values, Thread& thread) const {
  thread.hits.resize(most_ + 1);
  T* const hits = thread.hits.data();
  const uint8_t* const is_searched = is_searched_.data();
  size_t count = 0;
#pragma GCC unroll 8
  for (const T value : values) {
    hits[count] = value;
    count += is_searched[bits_of(value) >> (kKeyBits<T> - kFirstBits)];
  }
  return {hits, count};
}

template <class T>
void OrderSearch<T>::seek(std::span<const int64_t> ranks, std::span<const T> limits) {
  std::vector<int64_t> by_key(size_t{1} << kFirstBits);
  for (const Thread& thread : threads_) {
    for (size_t bits = 0; bits < thread.first.size(); ++bits) {
      by_key[key_of_bits<T>(static_cast<Key>(bits), kFirstBits)] += thread.first[bits];
    }
  }
  const std::vector<int64_t> below = counts_below(by_key);
  ranks_ = ranks.size();
  for (const int64_t rank : ranks) targets_.push_back({.rank = rank});
  for (const T limit : limits) targets_.push_back({.limit = ordered_key(limit)});
  for (Target& target : targets_) descend(target, below, kFirstBits);
  known_bits_ = kFirstBits;
  prepare_nodes();
}

template <class T>
void OrderSearch<T>::advance() {
  collects_ ? search_collected() : count_further();
}

template <class T>
void OrderSearch<T>::count_further() {
  std::vector<std::vector<int64_t>> below;
  for (size_t node = 0; node < nodes_.size(); ++node) {
    Digits sums{};
    for (const Thread& thread : threads_) add_to(sums, thread.more[node]);
    below.push_back(counts_below(sums));
  }
  for (Target& target : targets_) descend(target, below[node_of(target.prefix)], kMoreBits);
  known_bits_ += kMoreBits;
  prepare_nodes();
}

template <class T>
void OrderSearch<T>::search_collected() {
  std::vector<std::vector<Key>>& all = threads_.front().collected;
  for (const Thread& thread : std::span(threads_).subspan(1)) {
    for (size_t node = 0; node < nodes_.size(); ++node) {
      all[node].insert(all[node].end(), thread.collected[node].begin(), thread.collected[node].end());
    }
  }
  for (Target& target : targets_) {
    std::vector<Key>& keys = all[node_of(target.prefix)];
    if (target.rank >= 0) {
      std::ranges::nth_element(keys, keys.begin() + (target.rank - target.below));
      target.prefix = keys[target.rank - target.below];
    } else {
      target.below += std::ranges::count_if(keys, [&](Key key) { return key < target.limit; });
    }
  }
  known_bits_ = kKeyBits<T>;
}

template <class T>
size_t OrderSearch<T>::node_of(Key prefix) const {
  return static_cast<size_t>(std::ranges::lower_bound(nodes_, prefix) - nodes_.begin());
}

// The next `bits` bits of what is searched, from those of the keys that share the ones known so far.
template <class T>
void OrderSearch<T>::descend(Target& target, std::span<const int64_t> counts_below, int bits) const {
  const Key digit = target.rank >= 0
                        ? static_cast<Key>(std::ranges::upper_bound(counts_below, target.rank - target.below) -
                                           counts_below.begin() - 1)
                        : target.limit >> (kKeyBits<T> - known_bits_ - bits) & ((Key{1} << bits) - 1);
  target.prefix = known_bits_ == 0 ? digit : (target.prefix << bits | digit);
  target.below += counts_below[digit];
  target.equal = counts_below[digit + 1] - counts_below[digit];
}

template <class T>
void OrderSearch<T>::prepare_nodes() {
  nodes_.clear();
  for (const Target& target : targets_) nodes_.push_back(target.prefix);
  std::ranges::sort(nodes_);
  const auto repeated = std::ranges::unique(nodes_);
  nodes_.erase(repeated.begin(), repeated.end());
  is_searched_.assign(size_t{1} << kFirstBits, 0);
  for (const Key prefix : nodes_) is_searched_[bits_of_key<T>(prefix >> (known_bits_ - kFirstBits), kFirstBits)] = 1;
  std::vector<int64_t> numbers(nodes_.size());
  for (const Target& target : targets_) numbers[node_of(target.prefix)] = target.equal;
  collects_ = std::accumulate(numbers.begin(), numbers.end(), int64_t{0}) <= kMostCollected;
  for (Thread& thread : threads_) {
    thread.more.assign(nodes_.size(), {});
    thread.collected.assign(nodes_.size(), {});
  }
}

template class OrderSearch<float>;
template class OrderSearch<double>;

}  // namespace bertha
