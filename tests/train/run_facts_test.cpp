#include "train/run_facts.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

nlohmann::json written(const RunFacts& facts) {
  const TemporaryDirectory folder;
  write_run_facts(folder.path(), facts);
  std::ifstream file(folder / "run.json");
  return nlohmann::json::parse(file);
}

TEST(RunFacts, SayWhatARunComputesWith) {
  const auto json = written({DType::bf16, 1.234e12, 4, 1000, Unigram{.entropy = 6.5}});
  EXPECT_EQ(json["precision"], "bf16");
  EXPECT_EQ(json["peak_gflops"], 1234);
  EXPECT_EQ(json["ranks"], 4);
  EXPECT_EQ(json["parameters"], 1000);
  EXPECT_EQ(json["unigram_entropy"], 6.5);
  EXPECT_GE(json["threads_per_rank"], 1);
  EXPECT_GE(json["cores"], 1);
  EXPECT_GT(json["memory_mib"], 100);
  EXPECT_NE(json["processor"], "");
  EXPECT_FALSE(written({}).contains("unigram_entropy"));
}

TEST(RunFacts, AreReadAsTheyWereWritten) {
  const TemporaryDirectory folder;
  EXPECT_TRUE(read_run_facts(folder.path()).empty());
  write_run_facts(folder.path(), {DType::f32, 0, 2, 1000, Unigram{.entropy = 6.5}});
  const std::vector<RunFact> facts = read_run_facts(folder.path());
  EXPECT_EQ(facts[0].name, "version");
  EXPECT_FALSE(facts[0].number);
  EXPECT_EQ(facts[1].text, "1000");
  EXPECT_EQ(find_number(facts, "unigram_entropy"), 6.5);
  EXPECT_EQ(find_number(facts, "version"), std::nullopt);
  EXPECT_EQ(find_number(facts, "missing"), std::nullopt);
  std::ofstream(folder / "run.json") << "[1]";
  EXPECT_THROW(read_run_facts(folder.path()), DamagedFileError);
}

}  // namespace
}  // namespace bertha
