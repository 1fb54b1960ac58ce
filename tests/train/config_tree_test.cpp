#include "train/config_tree.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

TEST(FlatConfig, NamesEveryValueByItsKeys) {
  const ConfigNode map = parse_config(
      "task: mlm\ntraining: {steps: 10, betas: [0.9, 0.999]}\nphases: [{until: 3, sizes: [1, 2]}, "
      "[[4]]]\nempty:\nword: ''\n",
      "test");
  EXPECT_EQ(flat_config(map), (Values{{"task", "mlm"},
                                      {"training.steps", "10"},
                                      {"training.betas", "[0.9, 0.999]"},
                                      {"phases", "[{until: 3, sizes: [1, 2]}, [[4]]]"},
                                      {"empty", "null"},
                                      {"word", ""}}));
}

}  // namespace
}  // namespace bertha
