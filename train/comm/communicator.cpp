#include "train/comm/communicator.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "train/add_to.h"
#include "train/comm/mpi_communicator.h"
#include "train/comm/self_communicator.h"

namespace bertha {
namespace {

constexpr int64_t kGrain = 1 << 13;  // elements that stay in the first cache while all ranks' addends pass

// This process's rank as its launcher calls it: mpirun sets the first, whatever speaks PMIx, such as srun, the second.
const char* launched_rank() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  return rank ? rank : std::getenv("PMIX_RANK");
}

}  // namespace

void Communicator::reduce_scatter_sum(std::span<float> values, std::span<const int64_t> bounds) {
  exchange_shares(values, bounds, [&](int64_t begin, std::span<const std::span<float>> by_rank) {
    parallel_for(std::ssize(by_rank.front()), kGrain, [&](int64_t from, int64_t to) {
      for (int64_t at = from; at < to; at += kGrain) {
        const auto part = [&](std::span<float> all) { return all.subspan(at, std::min(kGrain, to - at)); };
        const std::span<float> sum = part(by_rank.front());
        for (const std::span<float> addend : by_rank.subspan(1)) add_to(sum, part(addend));
        if (rank() != 0) std::ranges::copy(sum, values.begin() + begin + at);
      }
    });
  });
}

std::vector<std::string> Communicator::all_gather(const std::string& text) {
  std::vector<std::string> texts(size());
  texts[rank()] = text;
  for (int root = 0; root < size(); ++root) {
    uint64_t length = texts[root].size();
    broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
    texts[root].resize(length);
    broadcast(std::as_writable_bytes(std::span(texts[root])), root);
  }
  return texts;
}

std::unique_ptr<Communicator> make_communicator() {
  if (launched_rank()) return std::make_unique<MpiCommunicator>();
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  check<ConfigError>(!tasks || std::atoi(tasks) <= 1, "srun: has started ", tasks ? tasks : "",
                     " processes that know nothing of each other (expected `srun --mpi=pmix` or mpirun)");
  return std::make_unique<SelfCommunicator>();
}

bool is_launched() {
  return launched_rank() != nullptr;
}

void let_lower_ranks_report() {
  const char* rank = launched_rank();
  if (!rank) return;
  std::signal(SIGTERM, SIG_DFL);  // what mpirun ends this rank with; there is nothing left to save
  // After a rank that was not connected has exited, Open MPI 4.1 leaves the others one second.
  std::this_thread::sleep_for(std::chrono::milliseconds(1500) * std::clamp(std::atoi(rank), 0, 2));
}

}  // namespace bertha
