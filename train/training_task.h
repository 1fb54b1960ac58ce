#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/ops/cross_entropy.h"
#include "data/micro_slices.h"
#include "nn/parameter.h"
#include "nn/run.h"
#include "train/checkpoint/checkpoint.h"
#include "train/comm/communicator.h"
#include "train/metrics.h"

namespace bertha {

/// How much work a part of a batch is.
struct BatchCounts {
  int64_t tokens = 0;
  double flops = 0;             // forward and backward
  std::vector<int64_t> labels;  // by loss part
};

/// What a trainer trains: a model with its data and losses. A batch is cut into micro-slices that know nothing of
/// ranks; each rank works on some.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  virtual ParameterStore& parameters() = 0;

  /// The parts of the loss, such as `mlm` and `nsp`; each is a mean over its labels of the whole batch, and the loss is
  /// their sum.
  virtual std::span<const std::string> loss_parts() const = 0;

  /// Whether a label of a part can be right or wrong.
  virtual bool has_accuracy() const = 0;

  /// Micro-slices of a whole batch, over all ranks.
  virtual int64_t slices() const = 0;

  /// Says which of them this rank works on, and the number (from 0) of the next batch. A step without a spike before
  /// it trains on the batch of its number.
  virtual void start(int64_t first_batch, IndexRange local_slices) = 0;

  /// Fetches this rank's micro-slices of the next batch and counts them, one entry a slice.
  virtual std::vector<BatchCounts> next_batch() = 0;

  /// The loss (1) of this rank's micro-slice `index` of that batch: the sum of scales[p] * (part p summed over its
  /// labels). Adds the unscaled sums to `sums`, by part.
  virtual Var loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) = 0;

  /// The metrics on held-out data, the same on every rank; empty where there is none. Collective.
  virtual std::vector<std::pair<std::string, double>> evaluate(Communicator& communicator) = 0;

  /// What a checkpoint of the present parameters holds, and what must be the same to resume from it.
  virtual ModelContent model_content() const = 0;
  virtual RunIdentity identity() const = 0;
};

}  // namespace bertha
