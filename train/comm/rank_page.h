#pragma once

#include <string>

#include "train/comm/communicator.h"
#include "train/comm/rank_record.h"

namespace bertha {

/// The records of all ranks, in memory that those of one machine share, and the word: who has it speaks for all.
/// Memory without a name, so that nothing is left behind however the ranks end.
class RankPage {
 public:
  /// Of a process alone.
  RankPage();
  /// Collective. Ranks on other machines have a page of their own.
  explicit RankPage(Communicator& communicator);
  ~RankPage();
  RankPage(const RankPage&) = delete;
  RankPage& operator=(const RankPage&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  RankRecord& record(int rank) { return records()[rank]; }
  const RankRecord& record(int rank) const { return records()[rank]; }
  bool is_here(int rank) const { return record(rank).pid.load() != 0; }

  /// True for the first that asks, of all ranks that share the page.
  bool take_word();

 private:
  struct alignas(64) Header {
    std::atomic<bool> word_taken;
  };

  void map(int descriptor);
  RankRecord* records() const { return reinterpret_cast<RankRecord*>(header_ + 1); }
  size_t bytes() const { return sizeof(Header) + sizeof(RankRecord) * static_cast<size_t>(size_); }

  int rank_ = 0, size_ = 1;
  Header* header_ = nullptr;
};

}  // namespace bertha
