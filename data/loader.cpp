#include "data/loader.h"

#include <utility>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

constexpr size_t kStepsAhead = 3;

}  // namespace

Loader::Loader(TrainingBatches batches, IndexRange slices, int64_t first_batch)
    : batches_(std::move(batches)),
      slices_(slices),
      first_batch_(first_batch),
      thread_([this](const std::stop_token& stop) {
        use_all_processors();
        run(stop);
      }) {}

std::vector<PackedBatch> Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !steps_.empty() || failure_; });
  if (steps_.empty()) std::rethrow_exception(failure_);
  std::vector<PackedBatch> step = std::move(steps_.front());
  steps_.pop_front();
  changed_.notify_one();
  return step;
}

void Loader::run(const std::stop_token& stop) {
  try {
    for (int64_t batch = first_batch_; produce_step(stop, batch); ++batch) {
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_one();
  }
}

// False where it was stopped.
bool Loader::produce_step(const std::stop_token& stop, int64_t batch) {
  std::vector<PackedBatch> micro_batches;
  for (int64_t slice = slices_.begin; slice < slices_.end; ++slice) {
    if (stop.stop_requested()) return false;
    micro_batches.push_back(batches_.at(batch, slice));
  }
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return steps_.size() < kStepsAhead; })) return false;
  steps_.push_back(std::move(micro_batches));
  changed_.notify_one();
  return true;
}

}  // namespace bertha
