#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "train/inspect/ordered_keys.h"

namespace bertha {

/// Finds which of many finite numbers have given ranks, and how many lie below given limits, exactly and in bounded
/// memory: all are shown, twice as a rule. Once counted by their first bits, those that share them with a searched one
/// are collected; where there are more than fit, they are counted by further bits before. `T` is float or double.
/// Source: selection by radix, from the most significant digit.
template <class T>
class OrderSearch {
 public:
  using Key = OrderedKey<T>;

  /// `threads`: those that call `add`, each with at most `most` numbers at a time.
  OrderSearch(int threads, size_t most);

  /// Takes in some of the numbers; that of the calling thread is below `threads`.
  void add(std::span<const T> values, int thread);

  /// Once all numbers were added for the first time: what to search. Ranks, from 0, are below their number.
  void seek(std::span<const int64_t> ranks, std::span<const T> limits);

  /// Whether all is found; if not, all numbers are to be added again and then `advance` to be called.
  bool is_done() const { return known_bits_ == kKeyBits<T>; }
  void advance();

  /// The number of ranks[i], and how many are below limits[i].
  T at_rank(size_t i) const { return value_of_key<T>(targets_[i].prefix); }
  int64_t below_limit(size_t i) const { return targets_[ranks_ + i].below; }

 private:
  // Sign, exponent and 7 bits of the fraction first.
  static constexpr int kFirstBits = sizeof(T) == 4 ? 16 : 19, kMoreBits = sizeof(T) == 4 ? 8 : 9;
  static constexpr int64_t kMostCollected = int64_t{1} << 22;

  struct Target {
    int64_t rank = -1;  // or
    Key limit = 0;
    Key prefix = 0;                // the bits of its key that are known
    int64_t below = 0, equal = 0;  // keys whose known bits are less than that, or that
  };
  using Digits = std::array<int64_t, size_t{1} << kMoreBits>;
  struct Thread {
    std::vector<int64_t> first;               // numbers by their own first bits
    std::vector<T> hits;                      // of one call of `add`
    std::vector<Digits> more;                 // by node, by the next bits of the key
    std::vector<std::vector<Key>> collected;  // by node
  };

  std::span<const T> find_hits(std::span<const T> values, Thread& thread) const;
  size_t node_of(Key prefix) const;
  void descend(Target& target, std::span<const int64_t> counts_below, int bits) const;
  void count_further();
  void search_collected();
  void prepare_nodes();

  size_t most_;
  int known_bits_ = 0;
  bool collects_ = false;
  size_t ranks_ = 0;
  std::vector<Target> targets_;       // those of ranks, then those of limits
  std::vector<Key> nodes_;            // their different prefixes, rising
  std::vector<uint8_t> is_searched_;  // 0 or 1, by a number's own first bits
  std::vector<Thread> threads_;
};

extern template class OrderSearch<float>;
extern template class OrderSearch<double>;

}  // namespace bertha
