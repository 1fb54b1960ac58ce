#pragma once

#include "train/comm/communicator.h"

namespace bertha {

/// The processes that mpirun started. MPI lives as long as this object; a process can have it once.
class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator();
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void all_reduce_sum(std::span<double> values) override;
  void all_reduce_sum(std::span<int64_t> values) override;
  void exchange_shares(std::span<float> values, std::span<const int64_t> bounds, const Use& use) override;
  void all_gather_shares(std::span<float> values, std::span<const int64_t> bounds) override;
  void broadcast(std::span<std::byte> data, int root) override;
  void send(std::span<const float> values, int receiver) override;
  void receive(std::span<float> values, int sender) override;
  void barrier() override;

 private:
  void require(int code, const char* call) const;
  void send_receive(std::span<const float> sent, int receiver, std::span<float> received, int sender) const;

  int rank_ = 0;
  int size_ = 1;
  std::vector<float> received_;  // of one round of an exchange, kept
};

}  // namespace bertha
