#include "train/metrics.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "autograd/core/error.h"

namespace bertha {
namespace {

class MetricsLogTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  std::string path_ = std::filesystem::temp_directory_path() / ("metrics-" + std::to_string(getpid()) + ".jsonl");
};

TEST(MetricsLine, FloatsRoundTripAndNonFiniteNumbersAreNull) {
  MetricsLine line{"train", 3, {{"loss", 0.1}, {"tokens", 4096}, {"grad_norm", NAN}}};
  EXPECT_EQ(to_json(line), R"({"phase":"train","step":3,"loss":0.1,"tokens":4096,"grad_norm":null})");
}

TEST_F(MetricsLogTest, CutsLaterStepsAndATornLine) {
  {
    MetricsLog log(path_, 0);
    for (int64_t step = 1; step <= 4; ++step) log.write({"train", step, {}});
  }
  std::ofstream(path_, std::ios::app) << R"({"phase":"train","st)";
  MetricsLog log(path_, 2);
  log.write({"train", 3, {}});
  EXPECT_EQ(content(),
            "{\"phase\":\"train\",\"step\":1}\n{\"phase\":\"train\",\"step\":2}\n{\"phase\":\"train\",\"step\":3}\n");
}

TEST_F(MetricsLogTest, ATornLastLineIsCutAlsoWhereItsStepFits) {
  std::ofstream(path_) << "{\"phase\":\"train\",\"step\":1}\n{\"phase\":\"train\",\"step\":2}";
  MetricsLog log(path_, 9);
  EXPECT_EQ(content(), "{\"phase\":\"train\",\"step\":1}\n");
}

TEST_F(MetricsLogTest, AFullDiskIsAnError) {
  MetricsLog log(path_, 0);
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit full = {10, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  EXPECT_THROW(log.write({"train", 1, {{"loss", 0.5}}}), Error);
  setrlimit(RLIMIT_FSIZE, &before);
}

}  // namespace
}  // namespace bertha
