#include "train/gradient_reducer.h"

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"

namespace bertha {

GradientReducer::GradientReducer(Communicator& communicator, ParameterStore& store, std::span<const Bucket> buckets,
                                 Overlap overlap, Sharding sharding)
    : communicator_(communicator),
      store_(store),
      buckets_(buckets.begin(), buckets.end()),
      sharding_(sharding),
      ready_(store.parameters().size()),
      unready_(ready_.size()) {
  if (overlap == Overlap::kOff || communicator.size() == 1) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { exchange_as_they_become_ready(stop); });
}

void GradientReducer::ready(const Parameter& parameter) {
  if (!thread_.joinable()) return;
  const std::lock_guard lock(mutex_);
  check<Error>(!ready_[parameter.index], "gradient reducer: '", parameter.slices.front().name,
               "' became ready twice in a step");
  ready_[parameter.index] = true;
  while (unready_ > 0 && ready_[unready_ - 1]) --unready_;  // the block holds the last parameter first
  const int64_t ready_end = unready_ > 0 ? store_.parameters()[unready_ - 1]->offset : std::ssize(store_.gradients());
  while (ready_buckets_ < buckets_.size() && buckets_[ready_buckets_].end() <= ready_end) ++ready_buckets_;
  changed_.notify_all();
}

void GradientReducer::finish() {
  if (communicator_.size() == 1) return;
  if (thread_.joinable()) return await_exchanges();
  for (const Bucket& bucket : buckets_) sum(bucket);
}

void GradientReducer::sum(const Bucket& bucket) {
  communicator_.reduce_scatter_sum(store_.gradients(), bucket.bounds);
  if (sharding_ == Sharding::kOff) communicator_.all_gather_shares(store_.gradients(), bucket.bounds);
}

void GradientReducer::await_exchanges() {
  std::unique_lock lock(mutex_);
  ready_buckets_ = buckets_.size();
  changed_.notify_all();
  changed_.wait(lock, [this] { return summed_buckets_ == buckets_.size() || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  ready_buckets_ = summed_buckets_ = 0;
  unready_ = ready_.size();
  ready_.assign(ready_.size(), false);
}

void GradientReducer::exchange_as_they_become_ready(const std::stop_token& stop) {
  use_all_processors();
  use_one_thread();  // besides those of backward
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return summed_buckets_ < ready_buckets_; })) {
    const Bucket& bucket = buckets_[summed_buckets_];
    lock.unlock();
    std::exception_ptr failure;
    try {
      sum(bucket);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    if (!failure_) ++summed_buckets_;
    changed_.notify_all();
    if (failure_) return;
  }
}

}  // namespace bertha
