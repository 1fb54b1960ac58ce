#include "train/model_description.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/wordpiece.h"
#include "nn/published_names.h"
#include "tests/data/small_vocabulary.h"
#include "tests/message_of.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using nlohmann::json;

class ModelDescriptionTest : public ::testing::Test {
 protected:
  ModelDescription read(const json& config) const {
    std::ofstream(folder_ / "config.json") << config.dump();
    return read_model_description(folder_.path());
  }
  json written(const ModelDescription& description) const {
    return json::parse(config_json(description, SmallVocabulary::tokenizer()));
  }

  TemporaryDirectory folder_;
};

TEST_F(ModelDescriptionTest, DistilBertHasTwoDropoutsOfHeads) {
  const json given = {{"model_type", "distilbert"},
                      {"architectures", {"DistilBertForQuestionAnswering"}},
                      {"seq_classif_dropout", 0.25},
                      {"qa_dropout", 0.0}};
  const ModelDescription description = read(given);
  EXPECT_EQ(description.config.classifier_dropout, 0.25);
  EXPECT_EQ(description.config.qa_dropout, 0);
  EXPECT_EQ(written(description)["seq_classif_dropout"], 0.25);
  EXPECT_EQ(written(description)["qa_dropout"], 0.0);
  const BertConfig silent = read({{"model_type", "distilbert"}, {"dropout", 0.3}}).config;
  EXPECT_EQ(silent.task_dropout(Head::kSequence), 0.2);
  EXPECT_EQ(silent.task_dropout(Head::kSpans), 0.1);
  EXPECT_EQ(silent.task_dropout(Head::kTokens), 0.3);
  EXPECT_FALSE(written(read({{"model_type", "bert"}, {"qa_dropout", 0.5}})).contains("qa_dropout"));
}

TEST_F(ModelDescriptionTest, ADropoutThatNoneCanBeIsRefused) {
  EXPECT_NE(message_of<ConfigError>([&] { read({{"classifier_dropout", -0.5}}); }).find("-0.5"), std::string::npos);
  EXPECT_EQ(read({{"classifier_dropout", nullptr}}).config.classifier_dropout, std::nullopt);
}

using ModelDescriptionParity = ModelDescriptionTest;

TEST_F(ModelDescriptionParity, HeadsDropOutAsHuggingFaces) {
  if (!python_has("torch, transformers")) {
    GTEST_SKIP() << python() << " has no torch and transformers (BERTHA_PYTHON names another)";
  }
  json bert = {{"vocab_size", 45},       {"hidden_size", 8},         {"num_hidden_layers", 1},
               {"intermediate_size", 8}, {"num_attention_heads", 2}, {"hidden_dropout_prob", 0.3}};
  json distilbert = {{"vocab_size", 45}, {"dim", 8},     {"n_layers", 1},
                     {"hidden_dim", 8},  {"n_heads", 2}, {"dropout", 0.3}};
  std::string command = quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/head_dropouts.py";
  std::vector<double> expected;
  for (const bool silent : {false, true}) {
    if (!silent) bert["classifier_dropout"] = 0.4;
    if (!silent) distilbert.update({{"seq_classif_dropout", 0.4}, {"qa_dropout", 0.5}});
    for (const Family family : kFamilies) {
      for (const Head head : {Head::kSequence, Head::kTokens, Head::kSpans, Head::kChoice}) {
        json config = family == Family::kDistilBert ? distilbert : bert;
        config["model_type"] = family_name(family);
        config["architectures"] = {architecture_name(family, head)};
        expected.push_back(read(config).config.task_dropout(head));
        const std::string folder = folder_ / std::to_string(expected.size());
        std::filesystem::create_directory(folder);
        std::ofstream(folder + "/config.json") << config.dump();
        command += " " + folder + "/config.json";
      }
    }
    bert.erase("classifier_dropout");
    distilbert.erase("seq_classif_dropout");
    distilbert.erase("qa_dropout");
  }
  const std::string out = folder_ / "out";
  ASSERT_EQ(std::system((command + " >" + out + " 2>/dev/null").c_str()), 0) << command;
  EXPECT_EQ(json::parse(std::ifstream(out)).get<std::vector<double>>(), expected);
}

}  // namespace
}  // namespace bertha
