#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "train/phase.h"

namespace bertha {

/// What one rank is doing. It lies in memory that the ranks of a machine share: its rank writes, all read.
struct alignas(64) RankRecord {
  enum class State : int32_t { kRunning, kFailed, kDone };

  std::atomic<int32_t> pid = 0;  // 0: not on this machine
  std::atomic<State> state = State::kRunning;
  std::atomic<int64_t> step = 0;
  std::atomic<Phase> phase = Phase::kLoad;
  std::atomic<int32_t> exchanging = 0;  // threads that wait for other ranks
  std::atomic<uint32_t> marks = 0;      // moves with every phase and every exchange
  std::atomic<uint32_t> pulse = 0;      // moves unless the process is stopped
  std::atomic<uint32_t> work = 0;       // moves while the process gets on
  std::array<char, 1000> sentence{};    // why it failed, once it has

  static_assert(std::atomic<int64_t>::is_always_lock_free && std::atomic<State>::is_always_lock_free);
};

/// This process's.
RankRecord& own_record();

/// Lets this process write `record` from now on, going on from what it wrote before; null: one nobody else sees.
void use_record(RankRecord* record);

/// `at step 12 in backward`.
std::string place_text(const RankRecord& record);

/// While one lives, the calling thread waits for other ranks.
class ExchangeMark {
 public:
  ExchangeMark() : record_(own_record()) {
    record_.exchanging.fetch_add(1, std::memory_order_relaxed);
    record_.marks.fetch_add(1, std::memory_order_relaxed);
  }
  ~ExchangeMark() {
    record_.exchanging.fetch_sub(1, std::memory_order_relaxed);
    record_.marks.fetch_add(1, std::memory_order_relaxed);
  }
  ExchangeMark(const ExchangeMark&) = delete;
  ExchangeMark& operator=(const ExchangeMark&) = delete;

 private:
  RankRecord& record_;
};

}  // namespace bertha
