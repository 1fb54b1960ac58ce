#include "train/metrics.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"
#include "train/metrics_reader.h"

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

TEST(MetricsLine, IsReadFromWhatItWritesAndNothingElse) {
  const auto line = parse_metrics_line(R"({"phase":"train","step":3,"loss":0.1,"grad_norm":null,"other":"text"})");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->phase, "train");
  EXPECT_EQ(line->step, 3);
  EXPECT_EQ(line->find("loss"), 0.1);
  EXPECT_TRUE(std::isnan(line->find("grad_norm").value()));
  EXPECT_FALSE(line->find("other"));
  for (const char* text :
       {"", "[1]", R"({"phase":"train"})", R"({"phase":1,"step":1})", R"({"phase":"train","step":1)"}) {
    EXPECT_FALSE(parse_metrics_line(text)) << text;
  }
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

TEST_F(MetricsLogTest, IsRecalledWithTheBitsThatWereWritten) {
  {
    MetricsLog log(folder_.path(), 0);
    log.write({"train", 1, {{"loss", 0.1 + 0.2}, {"tokens", 4096}, {"grad_norm", 1e-310}}});
    log.write({"evaluation", 1, {{"loss", 5}}});
    log.write({"train", 2, {{"loss", NAN}}});
    log.write({"train", 3, {{"loss", 7}}});
  }
  std::ofstream(path_, std::ios::app) << "[1]\n{\"phase\":2,\"step\":2}\n{\"phase\":\"train\",\"step\":\"2\"}\n{";
  std::vector<MetricsLine> lines;
  for_each_metrics_line(folder_.path(), "train", 2, [&](const MetricsLine& line) { lines.push_back(line); });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].find("loss"), 0.1 + 0.2);
  EXPECT_EQ(lines[0].find("tokens"), 4096);
  EXPECT_EQ(lines[0].find("grad_norm"), 1e-310);
  EXPECT_EQ(lines[0].find("skipped"), std::nullopt);
  EXPECT_TRUE(std::isnan(*lines[1].find("loss")));
  EXPECT_EQ(evaluation_history(folder_.path(), "loss", 3), (std::vector<std::pair<int64_t, double>>{{1, 5}}));
}

TEST_F(MetricsLogTest, ADamagedLineTakesNoOtherWithIt) {
  std::ofstream(path_) << "{\"phase\":\"evaluation\",\"step\":1,\"f1\":0.5}\n{\"phase\":\"eval\x01\n"
                          "{\"phase\":7,\"step\":2,\"f1\":0.9}\n{\"phase\":\"evaluation\",\"step\":3,\"f1\":0.25}\n"
                          "{\"phase\":\"evaluation\",\"step\":4,\"f1\":1}\n";
  const std::string whole = content();
  const auto history = evaluation_history(folder_.path(), "f1", 3);
  EXPECT_EQ(history, (std::vector<std::pair<int64_t, double>>{{1, 0.5}, {3, 0.25}}));
  MetricsLog log(folder_.path(), 3);
  EXPECT_EQ(content(), whole.substr(0, whole.find("{\"phase\":\"evaluation\",\"step\":4")));
}

// A digit of a step that is another one takes at most its own line.
TEST_F(MetricsLogTest, ADamagedStepCutsNoOtherLineAndKeepsNone) {
  std::string whole, later;
  for (int64_t step = 1; step <= 4; ++step) whole += to_json({"train", step, {{"loss", 5}}}) + "\n";
  for (int64_t step = 5; step <= 8; ++step) later += to_json({"train", step, {{"loss", 5}}}) + "\n";
  const std::string all = whole + later;
  for (size_t at = all.find("\"step\":"); at != all.npos; at = all.find("\"step\":", at + 1)) {
    for (const char* digits : {"0", "2", "3", "9", "99"}) {
      std::string damaged = all;
      damaged.replace(at + 7, 1, digits);
      std::ofstream(path_) << damaged;
      MetricsLog log(folder_.path(), 4);
      const std::string kept = content();
      const size_t lines = static_cast<size_t>(std::ranges::count(kept, '\n'));
      EXPECT_EQ(kept, damaged.substr(0, kept.size()));
      EXPECT_GE(lines, 3U) << damaged;
      EXPECT_LE(lines, 5U) << damaged;
    }
  }
}

TEST_F(MetricsLogTest, ANamedPipeIsAnErrorAndNotWaitedFor) {
  for (const std::string& path : {path_, folder_ / "events.out.tfevents.bertha"}) {
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    try {
      MetricsLog log(folder_.path(), 0);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with(path)) << error.what();
    }
    EXPECT_EQ(last_metrics_step(folder_.path()), 0);
    std::filesystem::remove(path);
  }
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
