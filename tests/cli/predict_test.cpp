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

void expect_starts_with(const json& vector, const std::vector<double>& expected) {
  ASSERT_EQ(vector.size(), 32u);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(vector[i].get<double>(), expected[i], 1e-5);
}

TEST(Predict, EmbedsTextsAsMeansFirstTokensOrAllTokens) {
  const std::string text = "'Morning rain over the roof.'";
  const auto embedding = [&](const std::string& pooling) {
    const CommandResult result = predict("bert_mlm", "--task embedding --json --pooling " + pooling + " " + text, "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out)["embedding"];
  };
  expect_starts_with(embedding("mean"), {-0.913958, -0.395987, -0.675861});
  expect_starts_with(embedding("cls"), {-1.032109, -0.458845, -0.710519});
  ASSERT_EQ(embedding("tokens").size(), 8u);
  EXPECT_EQ(embedding("tokens")[0], embedding("cls"));
}

TEST(Predict, WritesVectorsThatNumPyReads) {
  const TemporaryDirectory folder;
  const CommandResult result =
      predict("bert_mlm", "--task embedding --output " + (folder / "v.npy"), "the roof\nthe cold lake in winter\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::ifstream file(folder / "v.npy", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  ASSERT_EQ(bytes.size(), 128u + 2 * 32 * sizeof(float));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(bytes.substr(0, 128).find("'shape': (2, 32)"), std::string::npos);
  EXPECT_EQ(bytes[127], '\n');
}

TEST(Predict, ComparesTextsAndWordsInThem) {
  const CommandResult texts =
      predict("bert_mlm", "--task similarity --json 'Morning rain over the roof.' 'the cold lake in winter'", "");
  EXPECT_NEAR(json::parse(texts.out)["score"].get<double>(), 0.988001, 1e-5);
  const CommandResult words = predict(
      "bert_mlm", "--task similarity --word roof --json 'Morning rain over the roof.' 'the roof of a house'", "");
  EXPECT_NEAR(json::parse(words.out)["score"].get<double>(), 0.940241, 1e-5);
}

TEST(Predict, FindsTheMostSimilarLines) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "lines") << "the cold lake in winter\n\nthe fox runs\nrain over the roof\n";
  const CommandResult result =
      predict("bert_mlm",
              "--task similarity --json --top-k 2 --candidates " + (folder / "lines") + " 'rain over the roof'", "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = json::parse(result.out);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["text"], "rain over the roof");
  EXPECT_NEAR(found[0]["score"].get<double>(), 1, 1e-6);
}

TEST(Predict, SaysWhatAnEmbeddingLacks) {
  EXPECT_NE(predict("bert_mlm", "--task similarity 'the roof'", "").err.find("similarity needs two texts"),
            std::string::npos);
  EXPECT_NE(predict("bert_mlm", "--task similarity --word sea 'the roof' 'the lake'", "").err.find("'sea'"),
            std::string::npos);
  EXPECT_NE(predict("bert_mlm", "--output v.npy 'the [MASK]'", "").err.find("--output: is for --task embedding"),
            std::string::npos);
}

}  // namespace
}  // namespace bertha
