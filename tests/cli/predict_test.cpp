#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run_bertha.h"

namespace bertha {
namespace {

using nlohmann::json;

CommandResult predict(const std::string& model, const std::string& arguments, const std::string& input) {
  return run_bertha("predict " BERTHA_SOURCE_DIR "/tests/fixtures/models/" + model + " " + arguments, input);
}

void expect_candidates(const json& found, const std::vector<std::tuple<std::string, int, double>>& expected) {
  ASSERT_EQ(found.size(), expected.size()) << found;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i]["token"], std::get<0>(expected[i]));
    EXPECT_EQ(found[i]["id"], std::get<1>(expected[i]));
    EXPECT_NEAR(found[i]["score"].get<double>(), std::get<2>(expected[i]), 1e-5);
  }
}

// The scores, here and below, are those of Hugging Face transformers 5.23.
TEST(Predict, FillsAMaskWithTheLikeliestTokens) {
  const CommandResult result = predict("bert_mlm", "--json --top-k 3 'Morning rain over the [MASK].'", "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_candidates(json::parse(result.out), {{"roof", 64, 0.1107164}, {"[CLS]", 2, 0.0841468}, {"the", 5, 0.0406225}});
}

TEST(Predict, AnswersEachMaskOfAPair) {
  const CommandResult result = predict("bert_mlm", "--json --top-k 2 'a [MASK] in the [MASK]' 'the river'", "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json masks = json::parse(result.out);
  ASSERT_EQ(masks.size(), 2u);
  expect_candidates(masks[0], {{"roof", 64, 0.1177173}, {"tree", 39, 0.0631709}});
  expect_candidates(masks[1], {{"roof", 64, 0.1187621}, {"the", 5, 0.0690986}});
}

TEST(Predict, ReadsLinesWhereNoTextIsGiven) {
  const CommandResult given = predict("bert_mlm", "--json 'a [MASK] in the [MASK]' 'the river'", "");
  const CommandResult lines = predict("bert_mlm", "--json", "the [MASK]\na [MASK] in the [MASK]\tthe river\n");
  ASSERT_EQ(lines.exit_code, 0) << lines.err;
  EXPECT_EQ(lines.out.substr(lines.out.find('\n') + 1), given.out);
  EXPECT_EQ(json::parse(lines.out.substr(0, lines.out.find('\n'))).size(), 5u) << "the default of --top-k";
  EXPECT_EQ(predict("bert_mlm", "--json", "").out, "");
}

TEST(Predict, PrintsATableForPeople) {
  const CommandResult result = predict("bert_mlm", "--top-k 2 'Morning rain over the [MASK].'", "");
  EXPECT_EQ(result.out, "roof                 0.1107\n[CLS]                0.0841\n\n");
}

TEST(Predict, JudgesWhetherATextFollows) {
  const CommandResult result =
      predict("bert_nsp", "--json", "morning rain\tover the river .\nnight\ta stone , a tree ;\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  for (const double expected : {0.5582093, 0.6420035}) {
    std::string line;
    std::getline(lines, line);
    const json object = json::parse(line);
    EXPECT_NEAR(object["score"].get<double>(), expected, 1e-5);
    EXPECT_EQ(object["is_next"], true);
  }
  EXPECT_EQ(predict("bert_nsp", "'the island' 'the island'", "").out, "is_next 0.6557\n");
}

TEST(Predict, AModelOfBothHeadsDoesBoth) {
  const std::string texts = " --json 'the [MASK]' 'a tree'";
  EXPECT_TRUE(json::parse(predict("bert_pretraining", texts, "").out)[0].contains("token"));
  EXPECT_TRUE(json::parse(predict("bert_pretraining", "--task next_sentence" + texts, "").out).contains("is_next"));
}

TEST(Predict, BadInputIsOneSentenceAndTheRightCode) {
  struct Case {
    std::string model, arguments, input;
    int exit_code;
    std::string sentence;
  };
  std::string long_text = "[MASK]";
  for (int i = 0; i < 18; ++i) long_text += " the";
  const std::vector<Case> cases = {
      {"bert_mlm", "'no mask here'", "", 2, "text: holds no [MASK] to fill"},
      {"bert_nsp", "'the night'", "", 2, "next_sentence needs two texts"},
      {"bert_mlm", "--task next_sentence a b", "", 4, "has no head for this task"},
      {"bert_nsp", "--task fill_mask '[MASK]'", "", 4, "has no head for this task"},
      {"bert_mlm", "'" + long_text + "'", "", 4, "text: 21 tokens (the model has 20 positions)"},
      {"bert_mlm", "", "the [MASK] t\xE9\n", 3, "is not UTF-8"},
      {"no_such_model", "'[MASK]'", "", 2, "no_such_model/config.json: cannot be read"},
      {"bert_mlm", "--top-k 0 '[MASK]'", "", 2, "--top-k"},
      {"bert_mlm", "--task guess '[MASK]'", "", 2, "--task"},
  };
  for (const Case& bad : cases) {
    const CommandResult result = predict(bad.model, bad.arguments, bad.input);
    EXPECT_EQ(result.exit_code, bad.exit_code) << bad.arguments << ": " << result.err;
    EXPECT_NE(result.err.find(bad.sentence), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "") << bad.arguments;
  }
}

}  // namespace
}  // namespace bertha
