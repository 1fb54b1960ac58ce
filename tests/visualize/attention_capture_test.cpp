#include "visualize/attention_capture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autograd/core/error.h"
#include "tests/cli/run_bertha.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"
#include "tests/train/model_files.h"
#include "train/model_description.h"
#include "visualize/attention_rollout.h"

namespace bertha {
namespace {

using nlohmann::json;

const std::string kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";
constexpr int64_t kWhole = 1 << 20;

std::vector<std::string> tokens_of(const AttentionModel& model, const AttentionText& text) {
  std::vector<std::string> tokens;
  for (const int32_t id : text.encoding.ids) tokens.push_back(model.tokenizer().token(id));
  return tokens;
}

std::vector<LayerAttention> layers_of(const AttentionModel& model, const AttentionText& text) {
  std::vector<LayerAttention> layers;
  model.attend(text.encoding, 0, [&](const LayerAttention& layer) { layers.push_back(layer); });
  return layers;
}

TEST(AttentionCapture, HandsOverEveryLayerInTurn) {
  const AttentionModel model(kModels + "bert_mlm");
  const AttentionText text = model.read("morning rain", "over the river", kWhole);
  const std::vector<LayerAttention> layers = layers_of(model, text);
  ASSERT_EQ(std::ssize(layers), model.config().num_hidden_layers);
  for (int64_t number = 0; number < std::ssize(layers); ++number) {
    const LayerAttention& layer = layers[static_cast<size_t>(number)];
    EXPECT_EQ(layer.layer, number);
    EXPECT_EQ(layer.tokens, text.tokens());
    EXPECT_EQ(layer.projections.shape(), (Shape{text.tokens(), 3 * model.config().hidden_size}));
    for (int64_t head = 0; head < layer.heads; ++head) {
      double sum = 0;
      for (const float weight : layer.head(head)) sum += weight;
      EXPECT_NEAR(sum, static_cast<double>(text.tokens()), 1e-4) << "rows sum to 1";
    }
  }
}

TEST(AttentionCapture, PredictionsComeWithAMaskedLmHead) {
  const AttentionModel model(kModels + "bert_mlm");
  const AttentionText text = model.read("Morning rain over the [MASK].", std::nullopt, kWhole);
  const auto predictions = model.attend(text.encoding, 3, [](const LayerAttention&) {});
  ASSERT_EQ(std::ssize(predictions), text.tokens());
  const auto at_mask = predictions[5];
  ASSERT_EQ(at_mask.size(), 3u);
  EXPECT_EQ(model.tokenizer().token(at_mask[0].id), "roof") << "as bertha predict says";
  EXPECT_NEAR(at_mask[0].score, 0.1107164, 1e-5);
  const AttentionModel tagger(kModels + "bert_token_classification");
  const AttentionText other = tagger.read("the river", std::nullopt, kWhole);
  EXPECT_TRUE(tagger.attend(other.encoding, 3, [](const LayerAttention&) {}).empty());
}

TEST(AttentionCapture, RecognisesSpecialTokensAndWhereAPairBegins) {
  const AttentionModel model(kModels + "bert_mlm");
  const AttentionText text = model.read("the [MASK]", "a [SEP] river", kWhole);
  EXPECT_EQ(tokens_of(model, text),
            (std::vector<std::string>{"[CLS]", "the", "[MASK]", "[SEP]", "a", "[SEP]", "river", "[SEP]"}));
  EXPECT_EQ(text.encoding.second_begin, 4);
  EXPECT_EQ(model.read("the", std::nullopt, kWhole).encoding.second_begin, -1);
  EXPECT_EQ(model.read("", "river", kWhole).encoding.second_begin, 2);
}

TEST(AttentionCapture, CutsToTheModelsPositionsAndCountsWhatIsLeftOut) {
  const AttentionModel model(kModels + "bert_mlm");
  std::string words;
  for (int i = 0; i < 100; ++i) words += "river ";
  const int64_t longest = model.config().longest_sequence();
  const AttentionText text = model.read(words, std::nullopt, kWhole);
  EXPECT_EQ(text.tokens(), longest);
  EXPECT_EQ(text.left_out, 102 - longest);
  EXPECT_EQ(model.read(words, std::nullopt, 7).tokens(), 7);
  EXPECT_EQ(model.read("river", std::nullopt, 7).left_out, 0);
}

TEST(AttentionCapture, ComparedModelsMustReadTheSameTokens) {
  const AttentionModel model(kModels + "bert_mlm"), other(kModels + "bert_pretraining");
  const AttentionSubject subject{&model, model.read("the river", std::nullopt, kWhole)};
  check_same_tokens(subject, {&other, other.read("the river", std::nullopt, kWhole)});
  try {
    check_same_tokens(subject, {&other, other.read("the night", std::nullopt, kWhole)});
    FAIL() << "other tokens were taken";
  } catch (const MismatchError& error) {
    EXPECT_EQ(error.what(), other.directory() + ": reads the text as other tokens than " + model.directory() +
                                " ('night' at place 2, expected 'river')");
  }
  EXPECT_THROW(check_same_tokens(subject, {&other, other.read("the river the", std::nullopt, kWhole)}), MismatchError);
  EXPECT_THROW(check_same_tokens(subject, {&other, other.read("the", std::nullopt, kWhole)}), MismatchError);
}

// A copy of a model whose weights of one layer's query are not numbers.
void write_broken_model(const std::string& directory) {
  for (const char* name : {"config.json", "vocab.txt"}) {
    std::filesystem::copy(kModels + "bert_mlm/" + name, directory + "/" + name);
  }
  Weights weights(SafetensorsFile(kModels + "bert_mlm/model.safetensors"));
  const BertConfig config = read_model_description(directory).config;
  weights.add("bert.encoder.layer.1.attention.self.query.bias", {config.hidden_size})[3] = NAN;
  weights.write(directory);
}

TEST(AttentionCapture, WeightsThatAreNoNumbersAreAnError) {
  const TemporaryDirectory folder;
  write_broken_model(folder.path());
  const AttentionModel model(folder.path());
  const AttentionText text = model.read("the river", std::nullopt, kWhole);
  try {
    layers_of(model, text);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), folder.path() + ": layer 1 gives attention that is not a number (expected finite weights)");
  }
}

// ---- Against Hugging Face

struct Case {
  std::string directory, text;
  std::optional<std::string> pair;
};

json reference(const std::vector<json>& requests) {
  std::string lines;
  for (const json& request : requests) lines += request.dump() + "\n";
  const CommandResult result =
      run_command(quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/attentions.py", lines);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  json answers = json::array();
  std::istringstream out(result.out);
  for (std::string line; std::getline(out, line);) answers.push_back(json::parse(line));
  return answers;
}

double largest_difference(const json& expected, const LayerAttention& layer) {
  double largest = 0;
  for (int64_t head = 0; head < layer.heads; ++head) {
    for (int64_t i = 0; i < layer.tokens * layer.tokens; ++i) {
      const double theirs = expected[static_cast<size_t>(head)][static_cast<size_t>(i / layer.tokens)]
                                    [static_cast<size_t>(i % layer.tokens)];
      largest = std::max(largest, std::abs(theirs - layer.head(head)[static_cast<size_t>(i)]));
    }
  }
  return largest;
}

double largest_difference(const json& expected, const std::vector<double>& matrix) {
  double largest = 0;
  for (size_t i = 0; i < matrix.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i / expected.size()][i % expected.size()].get<double>() - matrix[i]));
  }
  return largest;
}

class AttentionCaptureParity : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!python_has("torch, transformers")) {
      GTEST_SKIP() << python() << " has no torch and transformers (BERTHA_PYTHON names another)";
    }
  }
};

// Text of any kind for a byte-level tokenizer, which the fixtures do not have.
void add_roberta(const std::string& directory, std::vector<Case>& cases) {
  const CommandResult made = run_command(
      quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/make_task_model.py roberta " + directory, "");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  cases.push_back({directory, "the river <mask> é", "a 河 in the night"});
}

TEST_F(AttentionCaptureParity, EqualsHuggingFaceForEveryFamilyAndHead) {
  const TemporaryDirectory folder;
  std::vector<Case> cases;
  ASSERT_NO_FATAL_FAILURE(add_roberta(folder / "roberta", cases));
  for (const auto& entry : std::filesystem::directory_iterator(kModels)) {
    cases.push_back({entry.path(), "Morning rain over the [MASK].", std::nullopt});
    if (entry.path().filename().string().starts_with("bert"))
      cases.push_back({entry.path(), "a river", "in the night"});
  }
  ASSERT_GT(cases.size(), 20u);
  std::vector<json> requests;
  std::vector<std::vector<LayerAttention>> ours;
  for (const Case& c : cases) {
    const AttentionModel model(c.directory);
    const AttentionText text = model.read(c.text, c.pair, kWhole);
    requests.push_back({{"directory", c.directory}, {"ids", text.encoding.ids}, {"types", text.encoding.type_ids}});
    ours.push_back(layers_of(model, text));
  }
  const json theirs = reference(requests);
  ASSERT_EQ(theirs.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    ASSERT_EQ(theirs[i]["attentions"].size(), ours[i].size()) << cases[i].directory;
    AttentionRollout rollout;
    for (size_t layer = 0; layer < ours[i].size(); ++layer) {
      EXPECT_LE(largest_difference(theirs[i]["attentions"][layer], ours[i][layer]), 1e-5) << cases[i].directory;
      rollout.add(ours[i][layer]);
    }
    EXPECT_LE(largest_difference(theirs[i]["rollout"], rollout.matrix()), 1e-5) << cases[i].directory;
  }
}

}  // namespace
}  // namespace bertha
