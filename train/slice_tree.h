#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "autograd/tensor.h"
#include "data/micro_slices.h"
#include "train/comm/communicator.h"
#include "train/partition.h"

namespace bertha {

/// The sum of the gradients of all slices of a batch, with the same bits on any number of ranks. The order of summation
/// is a binary tree whose shape depends on the number of slices only: node (l, i) sums the slices [i 2^l, (i + 1) 2^l)
/// as left + right child, or is its left child where the right one lies past the last slice. A rank joins its own
/// slices as a binary counter does; what is left of all ranks is joined share by share, each by its rank.
class SliceTree {
 public:
  /// `gradients` is the flat block that backward writes to. Where the optimiser is sharded a rank receives the sums of
  /// its shares only, and the rest of its gradients is undefined. Throws: ConfigError where a rank has no slice.
  SliceTree(int64_t slices, Communicator& communicator, std::span<float> gradients, std::span<const Bucket> buckets,
            Sharding sharding);

  /// Takes the gradient of this rank's next slice from the block, which is free again afterwards but for the last one.
  /// Throws: Error where `slice` is not the next one of this rank.
  void add(int64_t slice);

  /// Writes the sum over all ranks to the block and begins anew. Collective, after the last slice.
  void finish();

  /// The most blocks of that size a rank holds besides.
  static int64_t peak_blocks(IndexRange range);

 private:
  struct Place {
    int level = 0;
    int64_t index = 0;
  };
  struct Node {
    Place place;
    std::span<float> values;
    Tensor memory;  // of `values`; empty where they are the caller's block
  };

  using Shares = std::span<const std::span<float>>;

  static bool are_siblings(Place left, Place right);
  static Place parent(Place place);
  static std::vector<Place> places_of(IndexRange range);
  void plan_joins();
  void join_last_two();
  void join_across_ranks(const Bucket& bucket);
  void keep(size_t round, int64_t at, Shares by_rank);
  std::vector<std::span<float>> nodes_at(int64_t begin, int64_t at, Shares by_rank);
  void join(Shares nodes, std::span<float> sum) const;
  size_t node_count(int rank) const;

  const int64_t slices_;
  Communicator& communicator_;
  const std::span<float> gradients_;
  const std::vector<Bucket> buckets_;
  const Sharding sharding_;
  const IndexRange range_;
  int64_t next_slice_;
  std::vector<Node> nodes_;                       // of this rank, in the order of their slices
  std::vector<size_t> first_node_;                // by rank, among those of all ranks; ends in their number
  size_t rounds_ = 0;                             // the most nodes of a rank
  std::vector<std::pair<size_t, size_t>> joins_;  // of nodes of all ranks; the right one is added to the left one
  std::vector<std::vector<float>> kept_;          // shares of other ranks' nodes, of one bucket
};

}  // namespace bertha
