// Rank 0 publishes the model when the other ranks have nothing left to do. It is watched until it is done.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>

#include "tests/cli/small_run.h"

namespace bertha {
namespace {

class LastPhaseFaults : public SmallRun {
 protected:
  /// A run of two ranks, of which the first meets the fault.
  CommandResult run_with(const std::string& kind, int64_t at) const {
    std::filesystem::remove_all(folder_ / "run");
    const std::string command = pretrain("training.steps=10 communication.stall_limit=2s");
    return run_command(mpirun(1) + "env LD_PRELOAD=" BERTHA_FAULT_LAYER " BERTHA_FAULT_DIRECTORY=" + (folder_ / "run") +
                           " BERTHA_FAULT_TRACE=" + trace_ + " BERTHA_FAULT_KIND=" + kind +
                           " BERTHA_FAULT_AT=" + std::to_string(at) + " " + command + " : -n 1 " + command,
                       "");
  }

  /// The number of the first call that publishes the model.
  int64_t publication() const {
    const CommandResult whole = run_with("''", 0);
    EXPECT_EQ(whole.exit_code, 0) << whole.err;
    std::istringstream calls(read_file(trace_));
    int64_t number = 1;
    for (std::string call; std::getline(calls, call); ++number) {
      if (call.find("/model.tmp-") != std::string::npos) return number;
    }
    ADD_FAILURE() << "no call of " << number << " publishes the model";
    return 0;
  }

  std::string trace_ = folder_ / "trace";
};

TEST_F(LastPhaseFaults, AreNamedLikeThoseOfAnyOther) {
  const int64_t at = publication();
  for (const auto& [kind, cause] : {std::pair("kill", "killed by signal 9"), std::pair("stop", "stopped for 2s .*")}) {
    SCOPED_TRACE(kind);
    const auto begin = std::chrono::steady_clock::now();
    const CommandResult result = run_with(kind, at + 5);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    EXPECT_NE(result.exit_code, 0);
    EXPECT_TRUE(all_end());
    expect_one_line(result.err, "bertha: rank 0 of 2: " + std::string(cause) + " at step 10 in " + kAnyPhase);
    EXPECT_EQ(run_command(on(2, "training.steps=10"), "").exit_code, 0);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "run/model/model.safetensors"));
  }
}

}  // namespace
}  // namespace bertha
