#include "visualize/run_history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/temporary_directory.h"

namespace bertha {
namespace {

class MetricsHistoryTest : public ::testing::Test {
 protected:
  void append(const std::string& text) const { std::ofstream(path_, std::ios::app | std::ios::binary) << text; }
  void append_steps(int64_t first, int64_t last, double loss) const {
    for (int64_t step = first; step <= last; ++step) {
      MetricsLine line{"train", step, {{"tokens", 10.0 * static_cast<double>(step)}, {"loss", loss}}};
      append(to_json(line) + "\n");
    }
  }
  MetricsHistory read() const {
    MetricsHistory history(folder_.path());
    history.update();
    return history;
  }
  static std::vector<CurvePoint> loss(const MetricsHistory& history) {
    const Curve* curve = find_curve(history.training(), "loss");
    return curve ? curve->points() : std::vector<CurvePoint>();
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "metrics.jsonl";
};

TEST_F(MetricsHistoryTest, KnowsCurvesAndMarksByTheirPhase) {
  append(R"({"phase":"train","step":1,"tokens":10,"loss":5,"skipped":1,"elapsed_s":1})"
         "\n"
         R"({"phase":"evaluation","step":1,"tokens":10,"loss":6,"elapsed_s":1.5})"
         "\n"
         R"({"phase":"checkpoint","step":1,"save_s":0.1,"elapsed_s":2})"
         "\n"
         R"({"phase":"rewind","step":1,"from_step":4,"elapsed_s":3})"
         "\n"
         R"({"phase":"other","step":1})"
         "\n");
  const MetricsHistory history = read();
  EXPECT_EQ(loss(history), (std::vector<CurvePoint>{{1, 5}}));
  ASSERT_EQ(history.evaluation().size(), 1u) << "without tokens and time";
  EXPECT_EQ(history.evaluation()[0].second.points(), (std::vector<CurvePoint>{{1, 6}}));
  EXPECT_EQ(find_curve(history.training(), "skipped"), nullptr);
  EXPECT_EQ(history.skipped().count(), 1);
  EXPECT_EQ(history.checkpoints().count(), 1);
  ASSERT_EQ(history.rewinds().count(), 1);
  EXPECT_EQ(history.rewinds().shown()[0].from, 4);
  EXPECT_EQ(history.lines(), 5);
  EXPECT_EQ(history.damaged_lines(), 0);
  EXPECT_EQ(history.elapsed_seconds(), 3);
}

TEST_F(MetricsHistoryTest, ReadsAgainWhatWasCutAndWrittenAnew) {
  append_steps(1, 100, 5);
  MetricsHistory history = read();
  const auto cut = std::filesystem::file_size(path_) / 2;
  std::filesystem::resize_file(path_, 0);
  append_steps(1, 40, 5);
  append_steps(41, 200, 4);
  ASSERT_GT(std::filesystem::file_size(path_), cut);
  history.update();
  ASSERT_EQ(loss(history).size(), 200u);
  EXPECT_EQ(loss(history)[40].value, 4);
  std::filesystem::resize_file(path_, 0);
  append_steps(1, 3, 5);
  history.update();
  EXPECT_EQ(loss(history).size(), 3u);
  EXPECT_EQ(history.lines(), 3);
}

TEST_F(MetricsHistoryTest, AddsUpTheTimesOfItsStarts) {
  for (const auto& [step, seconds] : {std::pair(1, 2.0), {2, 4.0}, {3, 1.0}, {4, 3.0}, {5, 0.5}}) {
    append(to_json({"train", step, {{"elapsed_s", seconds}}}) + "\n");
  }
  const MetricsHistory history = read();
  EXPECT_EQ(find_curve(history.training(), "elapsed_s")->points(),
            (std::vector<CurvePoint>{{1, 2}, {2, 4}, {3, 5}, {4, 7}, {5, 7.5}}));
  EXPECT_EQ(history.elapsed_seconds(), 7.5);
  ASSERT_EQ(history.starts().count(), 2);
  EXPECT_EQ(history.starts().shown()[0].step, 3);
}

TEST_F(MetricsHistoryTest, IsBoundedWhateverTheFileNames) {
  for (int64_t step = 1; step <= 3000; ++step) {
    append(to_json({"train", step, {{std::string("m").append(std::to_string(step)), 1}, {"skipped", 1}}}) + "\n");
  }
  const MetricsHistory history = read();
  EXPECT_LE(history.training().size(), 100u);
  EXPECT_EQ(history.skipped().count(), 3000);
  EXPECT_LE(history.skipped().shown().size(), 2 * Marks::kMost);
  EXPECT_EQ(history.skipped().shown().back().step, 3000);
}

}  // namespace
}  // namespace bertha
