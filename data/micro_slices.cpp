#include "data/micro_slices.h"

#include <algorithm>

#include "autograd/core/error.h"

namespace bertha {

MicroSlices::MicroSlices(int64_t sequences, int64_t slice_size) : sequences_(sequences), slice_size_(slice_size) {
  check<ConfigError>(sequences >= 1 && slice_size >= 1, "batches: ", sequences, " sequences in micro-batches of ",
                     slice_size, " (expected at least 1 of each)");
}

int64_t MicroSlices::count() const {
  return (sequences_ - 1) / slice_size_ + 1;
}

IndexRange MicroSlices::at(int64_t slice) const {
  check<Error>(slice >= 0 && slice < count(), "batches: micro-batch ", slice, " of ", count());
  const int64_t begin = slice * slice_size_;
  return {begin, begin + std::min(slice_size_, sequences_ - begin)};
}

IndexRange rank_share(int64_t items, int64_t rank, int64_t ranks) {
  return {items * rank / ranks, items * (rank + 1) / ranks};
}

IndexRange rank_slices(int64_t slices, int64_t rank, int64_t ranks) {
  check<ConfigError>(ranks <= slices, "batches: ", ranks, " ranks share ", slices,
                     " micro-batches (expected at least one a rank; use fewer ranks or a smaller micro_batch_size)");
  return rank_share(slices, rank, ranks);
}

}  // namespace bertha
