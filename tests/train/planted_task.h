#pragma once

#include <functional>
#include <vector>

#include "train/training_task.h"

namespace bertha {

/// A task in which something goes wrong at a place of the data: what `planted` says of a batch and of a micro-slice
/// (over all ranks) multiplies the loss that is reported, and the gradient.
class PlantedTask : public TrainingTask {
 public:
  struct Factors {
    double loss = 1, gradient = 1;
  };
  using Planted = std::function<Factors(int64_t batch, int64_t slice)>;

  PlantedTask(TrainingTask& inner, Planted planted) : inner_(inner), planted_(std::move(planted)) {}

  /// The batches fetched so far.
  const std::vector<int64_t>& batches() const { return batches_; }

  ParameterStore& parameters() override { return inner_.parameters(); }
  std::span<const std::string> loss_parts() const override { return inner_.loss_parts(); }
  bool has_accuracy() const override { return inner_.has_accuracy(); }
  int64_t slices() const override { return inner_.slices(); }
  void start(int64_t first_batch, IndexRange local_slices) override {
    next_batch_ = first_batch;
    first_slice_ = local_slices.begin;
    inner_.start(first_batch, local_slices);
  }
  std::vector<BatchCounts> next_batch() override {
    batches_.push_back(next_batch_++);
    return inner_.next_batch();
  }
  Var loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) override {
    const Factors factors = planted_(batches_.back(), first_slice_ + static_cast<int64_t>(index));
    std::vector<double> planted_scales(scales.begin(), scales.end());
    for (double& scale : planted_scales) scale *= factors.gradient;
    const Var loss = inner_.loss(run, index, planted_scales, sums);
    for (LossSums& part : sums) part.loss *= factors.loss;
    return loss;
  }
  std::vector<std::pair<std::string, double>> evaluate(Communicator& communicator) override {
    return inner_.evaluate(communicator);
  }
  ModelContent model_content() const override { return inner_.model_content(); }
  RunIdentity identity() const override { return inner_.identity(); }

 private:
  TrainingTask& inner_;
  Planted planted_;
  std::vector<int64_t> batches_;
  int64_t next_batch_ = 0;
  int64_t first_slice_ = 0;
};

}  // namespace bertha
