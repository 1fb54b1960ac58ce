#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace bertha {

/// The ranks of one run and what they exchange. All ranks make the same collective calls in the same order; every call
/// blocks until this rank's part is done; calls of one rank come from one thread at a time.
/// Throws: Error where the exchange fails.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Replaces every element by its sum over all ranks; the order of summation is the implementation's.
  virtual void all_reduce_sum(std::span<double> values) = 0;
  virtual void all_reduce_sum(std::span<int64_t> values) = 0;

  /// Rank r's share of `values` is [bounds[r], bounds[r + 1]). Calls use(begin, by_rank) for ranges that cover this
  /// rank's share: by_rank[r] is what rank r has from `begin` on, this rank's in its place; `use` may overwrite all.
  /// Other shares are undefined afterwards.
  using Use = std::function<void(int64_t begin, std::span<const std::span<float>> by_rank)>;
  virtual void exchange_shares(std::span<float> values, std::span<const int64_t> bounds, const Use& use) = 0;

  /// This rank's share becomes the sum over all ranks, in their order; other shares are undefined afterwards.
  void reduce_scatter_sum(std::span<float> values, std::span<const int64_t> bounds);

  /// Fills in every share from its rank.
  virtual void all_gather_shares(std::span<float> values, std::span<const int64_t> bounds) = 0;

  virtual void broadcast(std::span<std::byte> data, int root) = 0;

  /// May block until `receiver` receives; the receiver names the same number of elements.
  virtual void send(std::span<const float> values, int receiver) = 0;
  virtual void receive(std::span<float> values, int sender) = 0;

  virtual void barrier() = 0;

  /// Every rank's text, by rank.
  std::vector<std::string> all_gather(const std::string& text);
};

/// The ranks that mpirun, or srun through PMIx, started this process with, or this process alone.
/// Throws: ConfigError where srun has started several without a way to find each other.
std::unique_ptr<Communicator> make_communicator();

/// The MPI library, as it calls itself.
std::string mpi_version();

/// Whether a launcher has started this process as one of several, connected or not.
bool is_launched();

/// Gives lower ranks the time to report a failure they share with this one before any is connected: each ends the run
/// by doing so, so that a wrong option is one message and not one a rank. Returns at once on rank 0 and without mpirun.
void let_lower_ranks_report();

/// Ends all ranks, and mpirun with `exit_code`. Returns only where this process runs alone or is not connected to the
/// others yet; mpirun then ends them when this process exits with a code other than 0.
void abort_all_ranks(int exit_code);

}  // namespace bertha
