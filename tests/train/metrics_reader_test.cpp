#include "train/metrics_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using Steps = std::vector<int64_t>;

class MetricsReaderTest : public ::testing::Test {
 protected:
  void append(const std::string& text) const { std::ofstream(path_, std::ios::app | std::ios::binary) << text; }
  void append_steps(int64_t first, int64_t last) const {
    for (int64_t step = first; step <= last; ++step) append(to_json({"train", step, {{"loss", 5}}}) + "\n");
  }
  /// The steps of the lines that have come.
  Steps read() {
    Steps steps;
    reader_.read([&](const MetricsLine& line) { steps.push_back(line.step); });
    return steps;
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "metrics.jsonl";
  MetricsReader reader_{folder_.path()};
};

TEST_F(MetricsReaderTest, PassesOverAndCountsWhatIsNoLineOfItsOwn) {
  append_steps(1, 2);
  append("{\"phase\":\"train\",\"st\n\n[]\n{\"phase\":\"train\",\"step\":-3,\"loss\":1}\n");
  append_steps(2, 2);  // once more
  append_steps(3, 3);
  append(R"({"phase":"train","step":4,"lo)");  // torn
  EXPECT_EQ(read(), (Steps{1, 2, 3}));
  EXPECT_EQ(reader_.lines(), 3);
  EXPECT_EQ(reader_.damaged_lines(), 6);
}

TEST_F(MetricsReaderTest, ALineThatIsAheadTakesNoOtherWithIt) {
  append_steps(1, 3);
  append_steps(94, 94);
  append_steps(5, 6);
  append_steps(2, 2);
  EXPECT_EQ(read(), (Steps{1, 2, 3, 94, 5, 6}));
  EXPECT_EQ(reader_.damaged_lines(), 1);
}

TEST_F(MetricsReaderTest, PhasesHaveAnOrderOfTheirOwn) {
  append_steps(1, 2);
  append(
      "{\"phase\":\"evaluation\",\"step\":0}\n{\"phase\":\"evaluation\",\"step\":0}\n"
      "{\"phase\":\"checkpoint\",\"step\":1}\n{\"phase\":\"checkpoint\",\"step\":1}\n");
  EXPECT_EQ(read(), (Steps{1, 2, 0, 1, 1}));
}

TEST_F(MetricsReaderTest, ALineThatIsTooLongIsOneDamagedLine) {
  append_steps(1, 1);
  append(std::string(3'000'000, 'x') + "\n");
  append_steps(2, 2);
  append(std::string(200'000, 'y'));
  EXPECT_EQ(read(), (Steps{1, 2}));
  EXPECT_EQ(reader_.damaged_lines(), 2);
  append("\n");
  append_steps(3, 3);
  EXPECT_EQ(read(), Steps{3});
  EXPECT_EQ(reader_.damaged_lines(), 2);
}

TEST_F(MetricsReaderTest, GoesOnWhereItStopped) {
  EXPECT_EQ(read(), Steps{}) << "no file yet";
  append_steps(1, 30);
  append(R"({"phase":"train","step":31,)");
  EXPECT_EQ(read().size(), 30u);
  EXPECT_EQ(reader_.damaged_lines(), 1);
  append("\"loss\":4}\n");
  // What is known is not read again: it could not be.
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file << "####";
  file.close();
  EXPECT_FALSE(reader_.was_cut());
  EXPECT_EQ(read(), Steps{31});
  EXPECT_EQ(reader_.damaged_lines(), 0);
}

TEST_F(MetricsReaderTest, SeesThatTheFileWasCut) {
  EXPECT_FALSE(reader_.was_cut()) << "no file yet";
  append_steps(1, 100);
  read();
  std::filesystem::resize_file(path_, 0);
  append_steps(2, 300);
  EXPECT_TRUE(reader_.was_cut()) << "and has grown beyond what was read";
  std::filesystem::resize_file(path_, 10);
  EXPECT_TRUE(reader_.was_cut());
  std::filesystem::remove(path_);
  EXPECT_TRUE(reader_.was_cut());
}

TEST_F(MetricsReaderTest, AFileThatCannotBeReadIsNamed) {
  std::filesystem::create_directory(path_);
  try {
    read();
    ADD_FAILURE() << "a directory has no lines";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()), path_ + ": is not a regular file");
  }
}

}  // namespace
}  // namespace bertha
