#pragma once

#include "train/comm/communicator.h"

namespace bertha {

/// One rank: every sum is already complete.
class SelfCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_reduce_sum(std::span<double>) override {}
  void all_reduce_sum(std::span<int64_t>) override {}
  void exchange_shares(std::span<float> values, std::span<const int64_t> bounds, const Use& use) override;
  void all_gather_shares(std::span<float>, std::span<const int64_t>) override {}
  void broadcast(std::span<std::byte>, int) override {}
  void send(std::span<const float> values, int receiver) override;
  void receive(std::span<float> values, int sender) override;
  void barrier() override {}
};

}  // namespace bertha
