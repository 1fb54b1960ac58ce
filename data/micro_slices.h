#pragma once

#include <cstdint>

namespace bertha {

/// The numbers from `begin` up to, but not including, `end`.
struct IndexRange {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  bool operator==(const IndexRange&) const = default;
};

/// A run of sequences cut into micro-slices, each small enough for one forward and backward pass. The cut knows nothing
/// of ranks; ranks are dealt whole slices.
class MicroSlices {
 public:
  /// Throws ConfigError unless both are at least 1.
  MicroSlices(int64_t sequences, int64_t slice_size);

  int64_t sequences() const { return sequences_; }
  int64_t count() const;
  /// The sequences of one slice; the last may hold fewer than `slice_size`.
  IndexRange at(int64_t slice) const;

 private:
  int64_t sequences_;
  int64_t slice_size_;
};

/// The part of [0, items) that falls to one of `ranks`: contiguous, in the order of ranks, sizes differ by at most one;
/// empty for some where there are more ranks than items.
IndexRange rank_share(int64_t items, int64_t rank, int64_t ranks);

/// The same for the micro-slices of a training step, of which every rank needs one.
/// Throws ConfigError where there are more ranks than slices.
IndexRange rank_slices(int64_t slices, int64_t rank, int64_t ranks);

}  // namespace bertha
