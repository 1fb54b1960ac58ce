#pragma once

#include <span>
#include <vector>

#include "nn/parameter.h"
#include "train/checkpoint/training_state.h"
#include "train/comm/communicator.h"
#include "train/optimizer.h"

namespace bertha {

/// The way of an optimiser's moments into checkpoints and back. Files hold whole tensors, whoever has the parts: any
/// number of ranks, sharing the optimiser or not, reads what any other has written.
class SavedMoments {
 public:
  /// `buckets`: of which the ranks have shares; none where every rank has all moments.
  SavedMoments(Optimizer& optimizer, const ParameterStore& store, std::span<const Bucket> buckets,
               Communicator& communicator);

  /// Takes what this rank updates. Throws: as TrainingStateFile::read_moment.
  void read(const TrainingStateFile& file);

  /// What rank 0 writes, while all others call `send`. It holds one tensor at a time that is not its own.
  std::vector<Moment> to_write();
  void send();

 private:
  struct Block {
    std::string name;
    std::span<float> moments;
  };

  std::vector<Block> blocks();
  std::vector<IndexRange> shares_of(int rank) const;
  std::span<const float> fetch(std::span<const float> moments, const PublishedTensor& tensor);

  Optimizer& optimizer_;
  const ParameterStore& store_;
  const std::vector<Bucket> buckets_;
  Communicator& communicator_;
  std::vector<float> whole_;  // the elements of one tensor
};

}  // namespace bertha
