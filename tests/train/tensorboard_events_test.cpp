#include "train/tensorboard_events.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using Numbers = std::vector<std::pair<std::string, double>>;

class EventFileTest : public ::testing::Test {
 protected:
  void write(int64_t after_step, std::initializer_list<int64_t> steps) const {
    EventFile file(path_, after_step);
    for (const int64_t step : steps) file.write(step, "train", Numbers{{"loss", 0.5}});
  }
  int64_t size() const { return static_cast<int64_t>(std::filesystem::file_size(path_)); }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "events.out.tfevents.test";
};

TEST(TensorboardEvents, ChecksumsAreThoseOfTheStandard) {
  std::string ascending(32, '\0');
  std::iota(ascending.begin(), ascending.end(), '\0');
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(ascending), 0x46DD794Eu);
  EXPECT_EQ(crc32c(std::string(ascending.rbegin(), ascending.rend())), 0x113FDB5Cu);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

// As tensorboard's own protobuf classes and CRC write it.
TEST(TensorboardEvents, ARecordIsTheseBytes) {
  const unsigned char expected[] = {
      0x20, 0,    0,    0,    0,    0,   0,   0,                          // length
      0x29, 0xED, 0xA9, 0x50,                                             // its masked CRC
      0x09, 0,    0,    0,    0,    0,   0,   0xF8, 0x3F,                 // wall_time 1.5
      0x10, 0x03,                                                         // step
      0x2A, 0x13, 0x0A, 0x11,                                             // summary, its one value
      0x0A, 0x0A, 't',  'r',  'a',  'i', 'n', '/',  'l',  'o', 's', 's',  // tag
      0x15, 0,    0,    0,    0x3F,                                       // simple_value 0.5
      0x13, 0x41, 0xEF, 0xBE,                                             // the event's masked CRC
  };
  const std::string record = tf_record(scalar_event(1.5, 3, "train", Numbers{{"loss", 0.5}}));
  EXPECT_EQ(record, std::string(std::begin(expected), std::end(expected)));
}

TEST_F(EventFileTest, CutsRecordsOfLaterSteps) {
  write(0, {1, 2});
  const int64_t two_steps = size();
  write(2, {3, 400});
  EXPECT_GT(size(), two_steps);
  write(2, {});
  EXPECT_EQ(size(), two_steps);
}

TEST_F(EventFileTest, CutsATornAndADamagedRecord) {
  write(0, {1});
  const int64_t one_step = size();
  for (int64_t torn = 1; torn < 16; ++torn) {
    write(1, {2});
    std::filesystem::resize_file(path_, static_cast<uintmax_t>(size() - torn));
    write(9, {});
    EXPECT_EQ(size(), one_step) << torn << " bytes are missing";
  }
  write(1, {2, 3});
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(one_step + 30);
  file.put('X');
  file.close();
  write(9, {});
  EXPECT_EQ(size(), one_step);
}

TEST_F(EventFileTest, StartsAgainWhereTheFileIsSomethingElse) {
  write(0, {});
  const int64_t fresh = size();
  for (const std::string& content : {std::string("text"), std::string(1000, '\xFF'), std::string(1000, '\0')}) {
    std::ofstream(path_, std::ios::binary) << content;
    write(5, {});
    EXPECT_EQ(size(), fresh);
  }
}

TEST_F(EventFileTest, TensorBoardReadsEachStepOnce) {
  if (!python_has("tensorboard")) GTEST_SKIP() << python() << " has no tensorboard (BERTHA_PYTHON names another)";
  {
    EventFile file(path_, 0);
    for (int64_t step = 1; step <= 300; ++step) {
      file.write(step, "train", Numbers{{"loss", 1.0 / static_cast<double>(step)}, {"tokens", 100.0 * step}});
    }
  }
  {
    EventFile file(path_, 200);
    file.write(201, "train", Numbers{{"loss", 7}});
    file.write(201, "evaluation", Numbers{{"mlm_accuracy", 0.25}});
  }
  const std::string out = folder_ / "out.json";
  const std::string script = BERTHA_SOURCE_DIR "/tests/fixtures/read_events.py";
  ASSERT_EQ(std::system((python() + " " + script + " " + folder_.path() + " >" + out + " 2>/dev/null").c_str()), 0);
  std::ifstream file(out);
  const auto scalars = nlohmann::json::parse(file);
  ASSERT_EQ(scalars.size(), 3u) << scalars;
  const auto& losses = scalars["train/loss"];
  ASSERT_EQ(losses.size(), 201u);
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(losses[i][0], i + 1);
    EXPECT_EQ(losses[i][1].get<float>(), static_cast<float>(1.0 / static_cast<double>(i + 1)));
  }
  EXPECT_EQ(losses[200], nlohmann::json({201, 7.0}));
  EXPECT_EQ(scalars["evaluation/mlm_accuracy"], nlohmann::json({{201, 0.25}}));
}

}  // namespace
}  // namespace bertha
