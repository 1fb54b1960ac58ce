#include <gtest/gtest.h>

#include <filesystem>

#include "data/shard_manifest.h"
#include "tests/data/shard_fixtures.h"
#include "tests/faults/crash_points.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

class ShardFaults : public testing::Test {
 protected:
  void shard(const std::string& directory) const {
    ShardOptions options;
    options.files = {text_};
    options.directory = directory + "/run/shards";
    options.sequence_length = 16;
    options.block_bytes = 1000;
    options.blocks_per_shard = 2;
    shard_corpus(options, tokenizer_, [](const ShardProgress&) {});
  }

  /// Whoever looks at any moment finds no shard that is said to be finished and is not whole.
  static void expect_no_half_one(const std::string& directory) {
    if (!fs::exists(directory)) return;
    if (fs::exists(directory + "/manifest.json")) {
      EXPECT_GT(ShardSet(directory).size(), 0);
      return;
    }
    for (int64_t shard = 0; shard < kShards; ++shard) {
      if (!fs::exists(directory + "/" + shard_record_name(shard))) continue;
      const ShardRecord record = read_shard_record(directory, shard).shards.front();
      EXPECT_NO_THROW(check_intact(directory + "/" + record.file, record)) << record.file;
    }
  }

  static constexpr int64_t kShards = 2;
  TemporaryDirectory folder_;
  std::string text_ = write_file(folder_ / "text", random_text(1, 50, 6, 12, 100));
  WordPiece tokenizer_ = numbered_words(100);
};

TEST_F(ShardFaults, TheSameCommandEndsAsIfNothingHadHappened) {
  shard(folder_.path());
  const auto expected = read_directory(folder_ / "run/shards");
  ASSERT_EQ(expected.size(), 1u + kShards);
  const CrashPoints points([](const std::string&) {}, [this](const std::string& directory) { shard(directory); },
                           CrashPoints::Exchange::kSupported);
  const auto look = [&](const Fault&, const Ending& ending) {
    const std::string directory = points.directory() + "/run/shards";
    expect_no_half_one(directory);
    const bool done = !ending.killed && ending.sentence.empty();
    EXPECT_TRUE(!done || read_directory(directory) == expected);
    shard(points.directory());
    EXPECT_EQ(read_directory(directory), expected);
  };
  points.at_every_call(kEnds, 1, look);
  points.at_every_call(kErrors, 1, look);
}

TEST_F(ShardFaults, WhatIsFinishedOutlivesAFailingMachine) {
  const CrashPoints points([](const std::string&) {},
                           [this](const std::string& directory) {
                             shard(directory);
                             fs::create_directory(directory + "/end");
                           },
                           CrashPoints::Exchange::kSupported);
  EXPECT_TRUE(points.run({"lose", std::ssize(points.calls())}).killed);
  EXPECT_GT(ShardSet(points.directory() + "/run/shards").size(), 0);
}

}  // namespace
}  // namespace bertha
