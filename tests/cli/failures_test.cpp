// However a rank fails, the run ends soon, as a whole, and says in one line who failed, where and why.

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/cli/small_run.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;

class Failures : public SmallRun {
 protected:
  const std::string kEndless = "training.steps=1000000 training.warmup_steps=1 evaluation.every_steps=20000 ";

  // Does `harm` to a run of two ranks that trains, and waits for its end.
  template <class F>
  void harm(const std::string& arguments, F&& harm_it, seconds most = seconds(5)) {
    BackgroundCommand run(in_background(on(2, kEndless + arguments)));
    ASSERT_TRUE(reaches_step(5)) << err();
    harm_it();
    const auto begin = steady_clock::now();
    exit_code_ = run.wait();
    EXPECT_LT(steady_clock::now() - begin, most);
    EXPECT_NE(exit_code_, 0);
    EXPECT_TRUE(all_end());
  }

  // Where nobody outside knows the moment of a failure: the last step is written before it.
  void expect_end_soon_after_the_last_step() const {
    EXPECT_LT(fs::file_time_type::clock::now() - fs::last_write_time(folder_ / "run/metrics.jsonl"), seconds(5));
  }

  int exit_code_ = -1;
};

TEST_F(Failures, AKilledRankIsNamed) {
  for (const auto& [rank, number] : {std::pair(1, SIGKILL), std::pair(0, SIGKILL), std::pair(1, SIGSEGV)}) {
    fs::remove_all(folder_ / "run");
    harm("", [&, victim = rank, with = number] { kill(process_of_rank(victim), with); });
    expect_one_line(err(), "bertha: rank " + std::to_string(rank) + " of 2: killed by signal " +
                               std::to_string(number) + " at step [1-9][0-9]* in " + kAnyPhase);
  }
}

TEST_F(Failures, ARankKilledBeforeTheFirstStepIsNamed) {
  std::ofstream(folder_ / "train.txt") << small_text(60'000);
  BackgroundCommand run(in_background(on(2, kEndless)));
  ASSERT_TRUE(comes_true([&] { return fs::exists(folder_ / "run/.lock") && process_of_rank(1) != 0; })) << err();
  kill(process_of_rank(1), SIGKILL);
  EXPECT_NE(run.wait(), 0);
  EXPECT_TRUE(all_end());
  expect_one_line(err(), "bertha: rank 1 of 2: killed by signal 9 at step 0 in load");
}

TEST_F(Failures, AStoppedRankIsNamedAfterTheLimit) {
  for (const int rank : {0, 1}) {
    fs::remove_all(folder_ / "run");
    harm(
        "communication.stall_limit=2s", [&] { kill(process_of_rank(rank), SIGSTOP); }, seconds(7));
    expect_one_line(err(), "bertha: rank " + std::to_string(rank) +
                               " of 2: stopped for 2s \\(communication.stall_limit\\) at step [1-9][0-9]* in " +
                               kAnyPhase);
  }
}

TEST_F(Failures, ARunThatIsSuspendedAsAWholeGoesOn) {
  BackgroundCommand run(in_background(on(2, kEndless + "communication.stall_limit=2s")));
  ASSERT_TRUE(reaches_step(5)) << err();
  const std::vector<pid_t> ranks = processes();
  ASSERT_EQ(ranks.size(), 2u);
  for (const pid_t rank : ranks) kill(rank, SIGSTOP);
  std::this_thread::sleep_for(seconds(3));
  for (const pid_t rank : ranks) kill(rank, SIGCONT);
  EXPECT_TRUE(reaches_step(losses("run").size() + 5));
  run.signal(SIGUSR1);
  EXPECT_EQ(run.wait(), 0) << err();
  EXPECT_TRUE(failure_lines(err()).empty()) << err();
}

TEST_F(Failures, AThreadThatHangsIsNoticedWhileTheProcessLives) {
  BackgroundCommand run(in_background(on(1, kEndless + "communication.stall_limit=1s")));
  ASSERT_TRUE(reaches_step(5)) << err();
  const pid_t main_thread = processes().at(0);
  if (ptrace(PTRACE_SEIZE, main_thread, nullptr, nullptr) != 0) {
    run.kill_and_wait();
    GTEST_SKIP() << "tracing is not allowed here";
  }
  ptrace(PTRACE_INTERRUPT, main_thread, nullptr, nullptr);
  EXPECT_EQ(run.wait(), 1);
  expect_one_line(err(),
                  "bertha: no progress for 1s \\(communication.stall_limit\\) at step [1-9][0-9]* in " + kAnyPhase);
}

TEST_F(Failures, ARankThatCannotWriteSaysSo) {
  ASSERT_EQ(run_command(on(2, "training.steps=5"), "").exit_code, 0);
  fs::remove_all(folder_ / "run/model");
  const std::string limited = "sh -c 'ulimit -f 60; exec \"$@\"' sh ";  // 30 KiB
  const std::string command = pretrain("training.steps=100");
  const CommandResult result = run_command(mpirun(1) + limited + command + " : -n 1 " + command, "");
  expect_end_soon_after_the_last_step();
  EXPECT_EQ(result.exit_code, 1) << result.err;
  expect_one_line(result.err,
                  "bertha: rank 0 of 2: .*/checkpoints/step-00000010.*File too large.* at step 10 in checkpoint");
}

TEST_F(Failures, ARankThatCannotReadSaysSoWithItsExitCode) {
  std::ofstream(folder_ / "train.txt") << small_text(20'000);  // more chunks than a rank keeps
  ASSERT_EQ(run_command(on(1, "training.steps=1 data.sequence_length=24" + output("made")), "").exit_code, 0);
  for (const char* rank : {"0", "1"}) {
    fs::create_directory(folder_ / rank);
    fs::copy(folder_ / "made/shards", folder_ / (std::string(rank) + "/shards"));
  }
  const std::string command =
      pretrain(kEndless + "data.text=null data.shards=shards data.vocab=" + (folder_ / "made/vocab.txt"));
  const std::string in_folder = "-wdir " + (folder_ / "");
  BackgroundCommand run(
      in_background(mpirun(1) + in_folder + "0 " + command + " : -n 1 " + in_folder + "1 " + command));
  ASSERT_TRUE(reaches_step(5)) << err();
  fs::resize_file(folder_ / "1/shards/shard-00000.h5", 3000);
  EXPECT_EQ(run.wait(), 3) << err();
  expect_end_soon_after_the_last_step();
  EXPECT_TRUE(all_end());
  expect_one_line(err(), "bertha: rank 1 of 2: shards/shard-00000.h5.* at step [1-9][0-9]* in " + kAnyPhase);
}

TEST_F(Failures, ARankWithoutMemorySaysSo) {
  std::ofstream(folder_ / "held-out.txt") << small_text(2000);
  const auto leave_no_memory = [&] {
    const rlimit none = {1, 1};
    prlimit(process_of_rank(1), RLIMIT_AS, &none, nullptr);
  };
  harm("model.hidden_size=256 model.intermediate_size=1024 evaluation.every_steps=60", leave_no_memory, seconds(60));
  expect_end_soon_after_the_last_step();
  EXPECT_EQ(exit_code_, 1);
  expect_one_line(err(), "bertha: rank 1 of 2: out of memory at step [1-9][0-9]* in " + kAnyPhase);
}

TEST_F(Failures, WhatIsWrongOnEveryRankIsSaidOnceWithoutARank) {
  for (const char* wrong : {"training.step=5", "data.text=[/nowhere.txt]", "--no-such-option"}) {
    const CommandResult result = run_command(on(3, wrong), "");
    EXPECT_EQ(result.exit_code, 2) << result.err;
    const std::vector<std::string> lines = failure_lines(result.err);
    EXPECT_LE(lines.size(), 1u) << result.err;
    for (const std::string& line : lines) EXPECT_EQ(line.find("rank "), std::string::npos) << line;
    EXPECT_NE(result.err.find(std::string(wrong).substr(0, 9) == "--no-such" ? "--no-such" : "bertha: "),
              std::string::npos)
        << result.err;
  }
}

TEST_F(Failures, WhatFailsOnOneRankOnlyBeforeTheFirstStepNamesIt) {
  const CommandResult result =
      run_command(mpirun(1) + pretrain("") + " : -n 1 " + BERTHA_BINARY + " pretrain /nowhere.yaml", "");
  EXPECT_EQ(result.exit_code, 2) << result.err;
  expect_one_line(result.err, "bertha: rank 1 of 2: /nowhere.yaml.* at step 0 in load");
}

TEST_F(Failures, RanksEndWithTheirLauncher) {
  BackgroundCommand run(in_background(on(2, kEndless)));
  ASSERT_TRUE(reaches_step(5)) << err();
  run.signal(SIGKILL);
  run.wait();
  EXPECT_TRUE(all_end());
}

// ---- Signals that stop a run ----

struct StopSignal {
  int ranks;
  int number;
  bool to_launcher;  // or to each rank
};

void PrintTo(const StopSignal& signal, std::ostream* out) {
  *out << (signal.ranks == 1    ? "Alone"
           : signal.to_launcher ? "ByLauncher"
                                : "ToEachOfTwo")
       << sigabbrev_np(signal.number);
}

class StopSignalsOf : public SmallRun, public ::testing::WithParamInterface<StopSignal> {
 protected:
  // Ends a run of `arguments` by a signal as soon as `when` is true, and lets it go on to the same weights as if not.
  template <class F>
  void expect_stop(const std::string& arguments, F&& when) {
    ASSERT_EQ(run_command(on(ranks(), arguments + output("whole")), "").exit_code, 0);
    BackgroundCommand run(in_background(on(ranks(), arguments)));
    ASSERT_TRUE(comes_true(when)) << err();
    if (GetParam().to_launcher) {
      run.signal(GetParam().number);
    } else {
      for (const pid_t rank : processes()) kill(rank, GetParam().number);
    }
    EXPECT_EQ(run.wait(), 0) << err();
    EXPECT_NE(err().find("stopped by a signal"), std::string::npos) << err();
    EXPECT_FALSE(fs::exists(folder_ / "run/model"));
    const CommandResult rest = run_command(on(ranks(), arguments), "");
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    EXPECT_EQ(weights("run"), weights("whole"));
    EXPECT_EQ(losses("run"), losses("whole"));
  }
  int ranks() const { return GetParam().ranks; }
};

TEST_P(StopSignalsOf, EndARunThatStillPreparesItsText) {
  std::ofstream(folder_ / "train.txt") << small_text(40'000);
  expect_stop("training.steps=20", [&] { return fs::exists(folder_ / "run/.lock"); });
  EXPECT_LE(losses("run").size(), 20u);
}

TEST_P(StopSignalsOf, EndARunThatEvaluates) {
  std::ofstream(folder_ / "held-out.txt") << small_text(300);
  expect_stop("training.steps=20 evaluation.every_steps=1", [&] { return losses("run").size() >= 2; });
}

TEST_P(StopSignalsOf, EndARunThatSaves) {
  expect_stop("training.steps=150 checkpoint.every_steps=1", [&] {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints", missing)) {
      if (entry.path().filename().native().find(".tmp-") != std::string::npos) return true;
    }
    return false;
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, StopSignalsOf,
                         ::testing::Values(StopSignal{1, SIGTERM, false}, StopSignal{1, SIGINT, false},
                                           StopSignal{1, SIGUSR1, false}, StopSignal{2, SIGTERM, false},
                                           StopSignal{2, SIGINT, false}, StopSignal{2, SIGUSR1, true}),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace bertha
