#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run_bertha.h"

namespace bertha {
namespace {

class ShardTest : public testing::Test {
 protected:
  ShardTest() {
    std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ntide\ncame\nin\n.\n";
    std::ofstream text(folder_ / "text");
    for (int i = 0; i < 100; ++i) text << "Tide came in.\nTide.\n\n";
  }

  std::string arguments(const std::string& output, const std::string& options) const {
    return "shard " + (folder_ / "text") + " --vocab " + (folder_ / "vocab.txt") + " --output " + (folder_ / output) +
           " --sequence-length 16 " + options;
  }
  CommandResult shard(const std::string& output, const std::string& options) const {
    return run_bertha(arguments(output, options), "");
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  TemporaryDirectory folder_;
};

TEST_F(ShardTest, SummarisesOnStandardOutput) {
  const CommandResult result = shard("shards", "--objective mlm_nsp --memory 128M --jobs 2 --seed 3");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("documents  100\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("% with a random second segment"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("shard: 100 % of 1 blocks"), std::string::npos) << result.err;
  EXPECT_FALSE(read("shards/manifest.json").empty());
}

TEST_F(ShardTest, PrintsOneJsonObject) {
  const auto summary = nlohmann::json::parse(shard("shards", "--json").out);
  EXPECT_EQ(summary.at("documents"), 100);
  EXPECT_EQ(summary.at("shards"), 1);
  EXPECT_EQ(summary.at("unknown_tokens"), 0);
  EXPECT_EQ(summary.at("text_bytes"), read("text").size());
}

TEST_F(ShardTest, CasedKeepsCapitals) {
  const auto summary = nlohmann::json::parse(shard("shards", "--cased --json").out);
  EXPECT_EQ(summary.at("unknown_tokens"), 200);  // the vocabulary has no "Tide"
}

TEST_F(ShardTest, ExitCodesTellTheKindOfFailure) {
  EXPECT_EQ(shard("shards", "--objective next").exit_code, 2);
  EXPECT_EQ(shard("shards", "--memory 1M").exit_code, 2);
  EXPECT_EQ(run_bertha("shard " + (folder_ / "missing") + " --vocab " + (folder_ / "vocab.txt") + " --output " +
                           (folder_ / "shards") + " --sequence-length 16",
                       "")
                .exit_code,
            2);
  EXPECT_EQ(shard("shards", "--seed 1").exit_code, 0);
  const CommandResult other = shard("shards", "--seed 2");
  EXPECT_EQ(other.exit_code, 4);
  EXPECT_NE(other.err.find("made with seed 1, not 2"), std::string::npos) << other.err;
  std::ofstream(folder_ / "text", std::ios::app) << "\xFF";
  EXPECT_EQ(shard("others", "").exit_code, 3);
}

TEST_F(ShardTest, DamagedTextIsNamedWithItsPlace) {
  std::ofstream(folder_ / "text.jsonl") << "{\"text\": \"Tide.\"}\n{\"text\": 1}\n";
  const CommandResult result = run_bertha("shard " + (folder_ / "text.jsonl") + " --vocab " + (folder_ / "vocab.txt") +
                                              " --output " + (folder_ / "shards") + " --sequence-length 16",
                                          "");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.err, "bertha: " + (folder_ / "text.jsonl") +
                            ":2: 'text' is a number (expected an object with a string 'text')\n");
}

TEST_F(ShardTest, RanksWriteTheBytesOfOneProcess) {
  ASSERT_EQ(shard("one", "").exit_code, 0);
  const std::string command = "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 " BERTHA_MPIEXEC
                              " --oversubscribe -n 2 " BERTHA_BINARY " " +
                              arguments("two", "") + " > " + (folder_ / "out") + " 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0) << read("out");
  for (const std::string file : {"manifest.json", "shard-00000.h5"})
    EXPECT_EQ(read("one/" + file), read("two/" + file));
  EXPECT_EQ(read("out").find("documents"), read("out").rfind("documents")) << "only one rank prints";
}

}  // namespace
}  // namespace bertha
