#include "train/gradient_reducer.h"

#include <chrono>

#include "autograd/core/error.h"

namespace bertha {

GradientReducer::GradientReducer(Communicator& communicator, ParameterStore& store, int64_t bucket_bytes,
                                 Overlap overlap)
    : communicator_(communicator), ready_(store.parameters().size()) {
  cut_into_buckets(store, bucket_bytes);
  if (overlap == Overlap::kOff || communicator.size() == 1) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { exchange_as_they_become_ready(stop); });
}

void GradientReducer::cut_into_buckets(ParameterStore& store, int64_t bucket_bytes) {
  const std::span<float> all = store.gradients();
  const auto& parameters = store.parameters();
  const auto elements = static_cast<size_t>(bucket_bytes) / sizeof(float);
  bucket_of_.resize(parameters.size());
  size_t begin = 0;
  int members = 0;
  for (size_t left = parameters.size(); left-- > 0;) {  // the order of the flat block
    const size_t end = left == 0 ? all.size() : static_cast<size_t>(parameters[left - 1]->offset);
    bucket_of_[left] = buckets_.size();
    ++members;
    if (end - begin < elements && left > 0) continue;
    buckets_.push_back({all.subspan(begin, end - begin), members, members});
    begin = end;
    members = 0;
  }
}

void GradientReducer::ready(const Parameter& parameter) {
  if (!thread_.joinable()) return;
  const std::lock_guard lock(mutex_);
  check<Error>(!ready_[parameter.index], "gradient reducer: '", parameter.slices.front().name,
               "' became ready twice in a step");
  ready_[parameter.index] = true;
  --buckets_[bucket_of_[parameter.index]].unready;
  while (ready_buckets_ < buckets_.size() && buckets_[ready_buckets_].unready == 0) ++ready_buckets_;
  changed_.notify_all();
}

double GradientReducer::finish() {
  if (communicator_.size() == 1) return 0;
  const auto start = std::chrono::steady_clock::now();
  if (thread_.joinable()) {
    await_exchanges();
  } else {
    for (const Bucket& bucket : buckets_) communicator_.all_reduce_sum(bucket.gradients);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void GradientReducer::await_exchanges() {
  std::unique_lock lock(mutex_);
  ready_buckets_ = buckets_.size();
  changed_.notify_all();
  changed_.wait(lock, [this] { return summed_buckets_ == buckets_.size() || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  ready_buckets_ = summed_buckets_ = 0;
  ready_.assign(ready_.size(), false);
  for (Bucket& bucket : buckets_) bucket.unready = bucket.parameters;
}

void GradientReducer::exchange_as_they_become_ready(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return summed_buckets_ < ready_buckets_; })) {
    const std::span<float> gradients = buckets_[summed_buckets_].gradients;
    lock.unlock();
    std::exception_ptr failure;
    try {
      communicator_.all_reduce_sum(gradients);
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
