#include "train/metrics.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <sstream>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

class MetricsLogTest : public ::testing::Test {
 protected:
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "metrics.jsonl";
};

TEST(MetricsLine, FloatsRoundTripAndNonFiniteNumbersAreNull) {
  MetricsLine line{"train", 3, {{"loss", 0.1}, {"tokens", 4096}, {"grad_norm", NAN}}};
  EXPECT_EQ(to_json(line), R"({"phase":"train","step":3,"loss":0.1,"tokens":4096,"grad_norm":null})");
}

TEST_F(MetricsLogTest, CutsLaterStepsAndATornLine) {
  {
    MetricsLog log(folder_.path(), 0);
    for (int64_t step = 1; step <= 4; ++step) log.write({"train", step, {}});
  }
  std::ofstream(path_, std::ios::app) << R"({"phase":"train","st)";
  MetricsLog log(folder_.path(), 2);
  log.write({"train", 3, {}});
  EXPECT_EQ(content(),
            "{\"phase\":\"train\",\"step\":1}\n{\"phase\":\"train\",\"step\":2}\n{\"phase\":\"train\",\"step\":3}\n");
}

TEST_F(MetricsLogTest, ATornLastLineIsCutAlsoWhereItsStepFits) {
  std::ofstream(path_) << "{\"phase\":\"train\",\"step\":1}\n{\"phase\":\"train\",\"step\":2}";
  MetricsLog log(folder_.path(), 9);
  EXPECT_EQ(content(), "{\"phase\":\"train\",\"step\":1}\n");
}

TEST_F(MetricsLogTest, WritesTheSameNumbersAsTensorBoardEvents) {
  const MetricsLine line{"evaluation", 3, {{"loss", 0.1}, {"mlm_accuracy", NAN}}};
  MetricsLog(folder_.path(), 0).write(line);
  std::ostringstream events;
  events << std::ifstream(folder_ / "events.out.tfevents.bertha").rdbuf();
  EXPECT_NE(events.str().find("evaluation/loss"), std::string::npos);
  EXPECT_NE(events.str().find("evaluation/mlm_accuracy"), std::string::npos);
}

TEST_F(MetricsLogTest, AFullDiskIsAnError) {
  MetricsLog log(folder_.path(), 0);
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
