// A whole run, from making its directory to the last checkpoint, with a fault at any call; the next start ends as if
// nothing had happened.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/faults/crash_points.h"
#include "tests/train/checkpoint/names_in.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "tests/train/planted_task.h"
#include "tests/train/small_task.h"
#include "train/comm/self_communicator.h"
#include "train/recipes/run_setup.h"
#include "train/trainer.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

// `stop` and `spike` are batches during which a signal stops the run, and whose gradient is far off.
struct Course {
  const char* name;
  int64_t steps;
  int keep;
  int64_t stop = -1, spike = -1;
};

void PrintTo(const Course& course, std::ostream* out) {
  *out << course.name;
}

class RunFaults : public testing::TestWithParam<Course> {};

void run(const std::string& directory, const Course& course) {
  const RunEvents silent = {.note = [](const std::string&) {}, .metrics = [](const MetricsLine&, int64_t) {}};
  SelfCommunicator self;
  TrainerOptions o;
  o.steps = course.steps;
  o.global_batch_size = 10;
  o.schedule = {ScheduleKind::kLinear, 1e-2, 3, course.steps};
  o.reduction = Reduction::kAfterBackward;
  o.evaluate_every = 1;
  o.checkpoint_every = 2;
  o.keep_checkpoints = course.keep;
  o.deciding_metric = "mlm_accuracy";
  o.output = directory + "/run";
  o.peak_flops = 1e9;
  if (course.spike >= 0) o.spikes = {SpikeAction::kRewind, 50, 5};  // without one line of history it would see none
  const auto lock = open_output(o.output, self);
  SmallTask small(MicroSlices(10, 5));
  PlantedTask task(*small, [&](int64_t batch, int64_t) {
    if (batch == course.stop) std::raise(SIGUSR1);
    return PlantedTask::Factors{.gradient = batch == course.spike ? 1e6 : 1};
  });
  Trainer trainer(o, task, self, silent);
  trainer.resume();
  trainer.run();
}

/// In a process of its own, without faults.
bool runs_to_its_end(const std::string& directory, const Course& course) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      run(directory, course);
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

/// What must be the same however often a run was cut off: hashes of its files, and of its history what is no
/// measurement of time. A run that was cut off behind its last save may keep the checkpoint before, which only the next
/// save would remove.
std::map<std::string, std::string> result_of(const std::string& directory) {
  std::map<std::string, std::string> result;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory + "/run")) {
    const std::string name = entry.path().lexically_relative(directory);
    if (name.starts_with("run/checkpoints/step-00000004")) continue;
    const bool is_history = name.ends_with("metrics.jsonl") || name.find("tfevents") != std::string::npos;
    const bool counts = entry.is_regular_file() && !is_history;
    result[name] = counts ? std::to_string(std::hash<std::string>()(bytes_of(entry.path()))) : "";
  }
  std::istringstream lines(bytes_of(directory + "/run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object["phase"] == "checkpoint") continue;
    for (const char* key : {"phase", "step", "from_step", "loss", "mlm_accuracy"}) {
      result["history"] += object.value(key, nlohmann::json()).dump() + " ";
    }
    result["history"] += "\n";
  }
  return result;
}

TEST_P(RunFaults, TheNextStartEndsAsIfNothingHadHappened) {
  const char* every = std::getenv("BERTHA_EVERY_FAULT");
  const Course stopped = GetParam();
  Course course = stopped;
  course.stop = -1;
  const auto begin = [&](const std::string& directory) {
    if (stopped.stop >= 0) {
      ASSERT_TRUE(runs_to_its_end(directory, stopped));
    }
  };
  const auto go_on = [&](const std::string& directory) { run(directory, course); };
  const CrashPoints points(begin, go_on, CrashPoints::Exchange::kSupported);
  const auto expected = result_of(points.directory());
  const std::string& history = expected.at("history");
  ASSERT_NE(history.find("\"evaluation\" " + std::to_string(course.steps)), std::string::npos) << history;
  ASSERT_EQ(history.find("\"rewind\" 4 6 ") != std::string::npos, course.spike >= 0) << history;
  const auto look = [&](const Fault&, const Ending& ending) {
    const bool claims_to_be_whole = !ending.killed && ending.sentence.empty();
    if (claims_to_be_whole) {
      EXPECT_EQ(result_of(points.directory()), expected);
    }
    ASSERT_TRUE(runs_to_its_end(points.directory(), course));
    EXPECT_EQ(result_of(points.directory()), expected);
  };
  points.at_every_call(kEnds, every ? 1 : 53, look);
  // Where the checkpoint behind a spike cannot be read a rewind rightly goes back to another one.
  if (course.spike < 0) points.at_every_call(kErrors, every ? 1 : 97, look);
}

// The second was stopped between two checkpoints that were due, and comes upon a spike in its next step: it goes back
// behind the checkpoint that it began with.
INSTANTIATE_TEST_SUITE_P(Of, RunFaults, testing::Values(Course{"Straight", 5, 1}, Course{"Rewinding", 8, 2, 3, 5}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace bertha
