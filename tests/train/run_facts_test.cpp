#include "train/run_facts.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace bertha
