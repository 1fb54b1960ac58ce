#include "train/comm/thread_communicator.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>

#include "autograd/core/error.h"

namespace bertha {
namespace {

// What the ranks share.
class Hub {
 public:
  explicit Hub(int ranks) : ranks_(ranks), published_(ranks), mail_(static_cast<size_t>(ranks) * ranks) {}

  int ranks() const { return ranks_; }

  // All ranks' data, valid until this rank calls barrier.
  const std::vector<std::span<std::byte>>& publish(int rank, std::span<std::byte> data) {
    published_[rank] = data;
    barrier();
    return published_;
  }

  void barrier() {
    std::unique_lock lock(mutex_);
    const int64_t mine = generation_;
    if (++arrived_ == ranks_) {
      arrived_ = 0;
      ++generation_;
      changed_.notify_all();
    }
    wait(lock, [&] { return generation_ != mine; });
  }

  void send(std::span<const float> values, int sender, int receiver) {
    std::unique_lock lock(mutex_);
    Letter& letter = mail_[sender * ranks_ + receiver];
    letter = {values, true};
    changed_.notify_all();
    wait(lock, [&] { return !letter.waiting; });
  }

  void receive(std::span<float> values, int sender, int receiver) {
    std::unique_lock lock(mutex_);
    Letter& letter = mail_[sender * ranks_ + receiver];
    wait(lock, [&] { return letter.waiting; });
    check<Error>(letter.values.size() == values.size(), "communicator: rank ", receiver, " expects ", values.size(),
                 " elements from rank ", sender, ", which sent ", letter.values.size());
    std::ranges::copy(letter.values, values.begin());
    letter.waiting = false;
    changed_.notify_all();
  }

  void record_failure(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    changed_.notify_all();
  }

  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  struct Letter {
    std::span<const float> values;
    bool waiting = false;
  };

  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, Condition&& condition) {
    changed_.wait(lock, [&] { return condition() || failure_; });
    check<Error>(condition(), "communicator: another rank failed");
  }

  const int ranks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::span<std::byte>> published_;  // by rank
  std::vector<Letter> mail_;                     // by sender, then receiver
  int arrived_ = 0;
  int64_t generation_ = 0;
  std::exception_ptr failure_;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(Hub& hub, int rank) : hub_(hub), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return hub_.ranks(); }
  void all_reduce_sum(std::span<double> values) override { sum(values); }
  void all_reduce_sum(std::span<int64_t> values) override { sum(values); }

  void exchange_shares(std::span<float> values, std::span<const int64_t> bounds, const Use& use) override {
    std::vector<std::span<float>> by_rank;
    for (const std::span<std::byte> theirs : hub_.publish(rank_, std::as_writable_bytes(values))) {
      by_rank.push_back(share(theirs, bounds, rank_));
    }
    use(bounds[rank_], by_rank);
    hub_.barrier();
  }

  void all_gather_shares(std::span<float> values, std::span<const int64_t> bounds) override {
    const auto& all = hub_.publish(rank_, std::as_writable_bytes(values));
    for (int rank = 0; rank < size(); ++rank) {
      if (rank != rank_) std::ranges::copy(share(all[rank], bounds, rank), values.begin() + bounds[rank]);
    }
    hub_.barrier();
  }

  void broadcast(std::span<std::byte> data, int root) override {
    const std::span<std::byte> source = hub_.publish(rank_, data)[root];
    if (rank_ != root) std::ranges::copy(source, data.begin());
    hub_.barrier();
  }

  void send(std::span<const float> values, int receiver) override { hub_.send(values, rank_, receiver); }
  void receive(std::span<float> values, int sender) override { hub_.receive(values, sender, rank_); }
  void barrier() override { hub_.barrier(); }

 private:
  static std::span<float> share(std::span<std::byte> values, std::span<const int64_t> bounds, int rank) {
    return {reinterpret_cast<float*>(values.data()) + bounds[rank],
            static_cast<size_t>(bounds[rank + 1] - bounds[rank])};
  }

  template <class T>
  void sum(std::span<T> values) {
    std::vector<T> total(values.size());
    for (const std::span<std::byte> addends : hub_.publish(rank_, std::as_writable_bytes(values))) {
      const T* addend = reinterpret_cast<const T*>(addends.data());
      for (size_t i = 0; i < total.size(); ++i) total[i] += addend[i];
    }
    hub_.barrier();
    std::ranges::copy(total, values.begin());
  }

  Hub& hub_;
  const int rank_;
};

}  // namespace

void run_as_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  Hub hub(ranks);
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&hub, &body, rank] {
        try {
          ThreadCommunicator communicator(hub, rank);
          body(communicator);
        } catch (...) {
          hub.record_failure(std::current_exception());
        }
      });
    }
  }
  hub.rethrow_failure();
}

}  // namespace bertha
