#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace bertha {

inline bool under_mpirun() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
}

struct MpirunOutcome {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};

/// Runs the calling test again, as several processes: there `under_mpirun` holds.
inline MpirunOutcome rerun_under_mpirun(int ranks) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string command =
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 " BERTHA_MPIEXEC
      " --oversubscribe --bind-to none -n " +
      std::to_string(ranks) + " '" + std::filesystem::read_symlink("/proc/self/exe").string() +
      "' --gtest_filter=" + test->test_suite_name() + "." + test->name() + " 2>&1";
  MpirunOutcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) outcome.output += static_cast<char>(c);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

inline void expect_success_under_mpirun(int ranks) {
  const MpirunOutcome outcome = rerun_under_mpirun(ranks);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

}  // namespace bertha
