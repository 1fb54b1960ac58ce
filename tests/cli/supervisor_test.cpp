#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/cli/small_run.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

class Supervisor : public SmallRun {
 protected:
  std::string supervised(int failures, const std::string& arguments) const {
    return "env OMP_NUM_THREADS=1 " + pretrain("--supervise " + std::to_string(failures) + " " + arguments);
  }
  std::string launched() const { return "--launch '" + mpirun(2) + "' "; }
};

TEST_F(Supervisor, StartsAKilledRunAgainUntilItIsDone) {
  const std::string length = "training.steps=400 checkpoint.every_steps=20 training.deterministic=true ";
  ASSERT_EQ(run_command(on(1, length + output("whole")), "").exit_code, 0);
  for (const std::string& launch : {std::string(), launched()}) {
    fs::remove_all(folder_ / "run");
    BackgroundCommand run(in_background(supervised(3, launch + length)));
    for (const size_t step : {25, 45}) {
      ASSERT_TRUE(reaches_step(step)) << err();
      ASSERT_TRUE(comes_true([&] { return !processes().empty(); })) << err();  // it may be between two starts
      kill(processes().at(0), SIGKILL);
      ASSERT_TRUE(comes_true([&] {
        return failure_lines(err()).size() >= (step == 25 ? 1 : 2) * (launch.empty() ? 1 : 2);
      })) << err();
    }
    EXPECT_EQ(run.wait(), 0) << err();
    EXPECT_EQ(weights("run"), weights("whole"));
    EXPECT_EQ(losses("run"), losses("whole"));
    EXPECT_NE(err().find("bertha: failure 1 of 3 after step"), std::string::npos) << err();
    EXPECT_NE(err().find("starting again in 1 s: "), std::string::npos) << err();
    EXPECT_NE(err().find("killed by signal 9"), std::string::npos) << err();
    EXPECT_TRUE(all_end());
  }
}

TEST_F(Supervisor, GivesUpAtAStepThatKeepsFailing) {
  ASSERT_EQ(run_command(on(1, "training.steps=5"), "").exit_code, 0);
  fs::remove_all(folder_ / "run/model");
  const CommandResult result = run_command("ulimit -f 60; " + supervised(2, "training.steps=100"), "");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("bertha: failure 1 of 2 after step 10, starting again in 1 s: "), std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("bertha: failure 2 of 2 after step 10, giving up: "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("File too large"), std::string::npos) << result.err;
}

TEST_F(Supervisor, DoesNotRepeatWhatCannotHelp) {
  EXPECT_EQ(run_command(supervised(3, "training.step=1"), "").exit_code, 2);
  ASSERT_EQ(run_command(on(1, "training.steps=5"), "").exit_code, 0);
  const CommandResult other = run_command(supervised(3, "training.seed=2"), "");
  EXPECT_EQ(other.exit_code, 4) << other.err;
  EXPECT_NE(other.err.find("bertha: not started again"), std::string::npos) << other.err;
  const CommandResult nothing = run_command(supervised(3, "--launch no-such-launcher"), "");
  EXPECT_EQ(nothing.exit_code, 127) << nothing.err;
}

TEST_F(Supervisor, PassesStopSignalsOn) {
  for (const std::string& launch : {std::string(), launched()}) {
    fs::remove_all(folder_ / "run");
    BackgroundCommand run(in_background(supervised(3, launch + "training.steps=1000000 training.warmup_steps=1")));
    ASSERT_TRUE(reaches_step(5)) << err();
    run.signal(SIGTERM);
    EXPECT_EQ(run.wait(), 0) << err();
    EXPECT_NE(err().find("stopped by a signal"), std::string::npos) << err();
    EXPECT_TRUE(all_end());
  }
}

TEST_F(Supervisor, LeavesNoProcessBehind) {
  for (const std::string& launch : {std::string(), launched()}) {
    fs::remove_all(folder_ / "run");
    BackgroundCommand run(in_background(supervised(3, launch + "training.steps=1000000 training.warmup_steps=1")));
    ASSERT_TRUE(reaches_step(5)) << err();
    run.signal(SIGKILL);
    run.wait();
    EXPECT_TRUE(all_end());
  }
}

TEST_F(Supervisor, SeesTheEndOfItsChildWhereSuchEndsWereIgnored) {
  const CommandResult result = run_command("trap '' CHLD; exec timeout 60 " + supervised(3, ""), "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Supervisor, ALauncherMayBeginWithVariables) {
  const CommandResult result = run_command(supervised(1, "--launch 'OMP_NUM_THREADS=1 nice'"), "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Supervisor, StandsOutsideMpirun) {
  const CommandResult result = run_command(mpirun(2) + pretrain("--supervise 3"), "");
  EXPECT_EQ(result.exit_code, 2) << result.err;
  expect_one_line(result.err, "bertha: --supervise: under mpirun .*");
}

}  // namespace
}  // namespace bertha
