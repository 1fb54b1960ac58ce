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
  void all_reduce_sum(std::span<float> values) override;
  void all_reduce_sum(std::span<double> values) override;
  void all_reduce_sum(std::span<int64_t> values) override;
  void broadcast(std::span<std::byte> data, int root) override;
  void send(std::span<const float> values, int receiver) override;
  void receive(std::span<float> values, int sender) override;
  void barrier() override;

 private:
  void require(int code, const char* call) const;

  int rank_ = 0;
  int size_ = 1;
};

}  // namespace bertha
