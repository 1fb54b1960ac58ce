#pragma once

#include "train/comm/communicator.h"

namespace bertha {

/// Hands every call on; a test's communicator overrides what it does otherwise.
class ForwardingCommunicator : public Communicator {
 public:
  explicit ForwardingCommunicator(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  void all_reduce_sum(std::span<double> values) override { inner_.all_reduce_sum(values); }
  void all_reduce_sum(std::span<int64_t> values) override { inner_.all_reduce_sum(values); }
  void exchange_shares(std::span<float> values, std::span<const int64_t> bounds, const Use& use) override {
    inner_.exchange_shares(values, bounds, use);
  }
  void all_gather_shares(std::span<float> values, std::span<const int64_t> bounds) override {
    inner_.all_gather_shares(values, bounds);
  }
  void broadcast(std::span<std::byte> data, int root) override { inner_.broadcast(data, root); }
  void send(std::span<const float> values, int receiver) override { inner_.send(values, receiver); }
  void receive(std::span<float> values, int sender) override { inner_.receive(values, sender); }
  void barrier() override { inner_.barrier(); }

 private:
  Communicator& inner_;
};

}  // namespace bertha
