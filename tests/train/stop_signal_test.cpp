#include "train/stop_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace bertha {
namespace {

TEST(StopSignals, AreNotedWhileOneLives) {
  const StopSignals outer;
  EXPECT_FALSE(StopSignals::received());
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) std::raise(number);
  EXPECT_TRUE(StopSignals::received());
}

TEST(StopSignals, NotedBeforeTrainingCountInIt) {
  const StopSignals outer;
  std::raise(SIGUSR1);
  EXPECT_FALSE(StopSignals::since_termination());
  {
    const StopSignals inner;
    EXPECT_TRUE(StopSignals::received());
  }
  std::raise(SIGTERM);
  EXPECT_TRUE(StopSignals::since_termination());
}

TEST(StopSignals, AreForgottenWithTheLast) {
  {
    const StopSignals before;
    std::raise(SIGTERM);
  }
  const StopSignals after;
  EXPECT_FALSE(StopSignals::received());
  EXPECT_FALSE(StopSignals::since_termination());
}

TEST(StopSignalsDeathTest, EndTheProcessWithTheGivenWordsBeforeTraining) {
  const auto end = [](bool training) {
    const StopSignals load("nothing to save\n");
    if (training) {
      const StopSignals inner;
      std::raise(SIGTERM);
    }
    std::raise(SIGTERM);
    _exit(7);
  };
  EXPECT_EXIT(end(false), ::testing::ExitedWithCode(0), "nothing to save");
  EXPECT_EXIT(end(true), ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace bertha
