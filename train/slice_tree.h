#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/tensor.h"
#include "data/micro_slices.h"
#include "train/comm/communicator.h"

namespace bertha {

/// The sum of the gradients of all slices of a batch, with the same bits on any number of ranks. The order of summation
/// is a binary tree whose shape depends on the number of slices only: node (l, i) sums the slices [i 2^l, (i + 1) 2^l)
/// as left + right child, or is its left child where the right one lies past the last slice. A rank joins its own
/// slices as a binary counter does; the owner of a node's first slice receives the right child where another rank holds
/// it.
class SliceTree {
 public:
  /// Collective; `elements` is the length of the flat gradient block.
  SliceTree(int64_t slices, Communicator& communicator, int64_t elements);

  /// Takes the gradient of this rank's next slice; its memory is free again afterwards.
  /// Throws: Error where `slice` is not the next one of this rank.
  void add(int64_t slice, std::span<const float> gradient);

  /// Writes the sum over all ranks to `sum` on every rank and begins anew. Collective, after the last slice.
  void finish(std::span<float> sum);

  /// The most blocks of `elements` a rank holds at any time, the caller's own not included.
  static int64_t peak_blocks(IndexRange range);

 private:
  struct Node {
    int level = 0;
    int64_t index = 0;
    Tensor value;
  };

  static bool are_siblings(const Node& left, const Node& right);
  static void raise(Node& node);
  void join_last_two();
  void join_across_ranks(int level);
  void send_to_left_sibling(const Node& node);
  void add_right_sibling(Node& node);
  int owner_of(int64_t slice) const;

  const int64_t slices_;
  Communicator& communicator_;
  const int64_t elements_;
  const IndexRange range_;
  int64_t next_slice_;
  std::vector<Node> nodes_;  // of this rank, in the order of their slices
  Tensor received_;
};

}  // namespace bertha
