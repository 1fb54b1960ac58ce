#include <gtest/gtest.h>

#include "tests/cli/run_bertha.h"
#include "tests/python.h"

namespace bertha {
namespace {

TEST(Torture, KilledRunsEndWithTheSameBytes) {
  if (!python_has("json")) GTEST_SKIP() << "there is no Python to run scripts/torture";
  const CommandResult result =
      run_command(quoted(python()) + " " BERTHA_SOURCE_DIR "/scripts/torture --kills 6 --bertha " BERTHA_BINARY, "");
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("6 kills"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace bertha
