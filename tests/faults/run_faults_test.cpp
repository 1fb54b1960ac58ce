// A whole run, from making its directory to the last checkpoint, with a fault at any call; the next start ends as if
// nothing had happened.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/faults/crash_points.h"
#include "tests/train/checkpoint/names_in.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "tests/train/small_task.h"
#include "train/comm/self_communicator.h"
#include "train/recipes/run_setup.h"
#include "train/trainer.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSteps = 5;

void run(const std::string& directory) {
  const RunEvents silent = {.note = [](const std::string&) {}, .metrics = [](const MetricsLine&, int64_t) {}};
  SelfCommunicator self;
  TrainerOptions o;
  o.steps = kSteps;
  o.global_batch_size = 10;
  o.schedule = {ScheduleKind::kLinear, 1e-2, 3, kSteps};
  o.reduction = Reduction::kAfterBackward;
  o.evaluate_every = 1;
  o.checkpoint_every = 2;
  o.keep_checkpoints = 1;
  o.deciding_metric = "mlm_accuracy";
  o.output = directory + "/run";
  o.peak_flops = 1e9;
  const auto lock = open_output(o.output, self);
  SmallTask task(MicroSlices(10, 5));
  Trainer trainer(o, *task, self, silent);
  trainer.resume();
  trainer.run();
}

/// In a process of its own, without faults.
bool runs_to_its_end(const std::string& directory) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      run(directory);
      _exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// What must be the same however often a run was cut off: its files, and of its history what is no measurement of time.
/// A run that was cut off behind its last save may keep the checkpoint before, which only the next save would remove.
std::map<std::string, std::string> result_of(const std::string& directory) {
  std::map<std::string, std::string> result;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory + "/run")) {
    const std::string name = entry.path().lexically_relative(directory);
    if (name.starts_with("run/checkpoints/step-00000004")) continue;
    const bool is_history = name.ends_with("metrics.jsonl") || name.find("tfevents") != std::string::npos;
    result[name] = entry.is_regular_file() && !is_history ? bytes_of(entry.path()) : "";
  }
  std::istringstream lines(bytes_of(directory + "/run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object["phase"] == "checkpoint") continue;
    for (const char* key : {"phase", "step", "loss", "mlm_accuracy"}) result["history"] += object[key].dump() + " ";
    result["history"] += "\n";
  }
  return result;
}

TEST(RunFaults, TheNextStartEndsAsIfNothingHadHappened) {
  const char* every = std::getenv("BERTHA_EVERY_FAULT");
  const CrashPoints points([](const std::string&) {}, &run, CrashPoints::Exchange::kSupported);
  const TemporaryDirectory whole;
  ASSERT_TRUE(runs_to_its_end(whole.path()));
  const auto expected = result_of(whole.path());
  ASSERT_NE(expected.at("history").find("\"evaluation\" 5"), std::string::npos) << expected.at("history");
  const auto look = [&](const Fault&, const Ending&) {
    ASSERT_TRUE(runs_to_its_end(points.directory()));
    EXPECT_EQ(result_of(points.directory()), expected);
  };
  points.at_every_call(kEnds, every ? 1 : 53, look);
  points.at_every_call(kErrors, every ? 1 : 97, look);
}

}  // namespace
}  // namespace bertha
