#include "train/finetune_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr const char* kSmallest =
    "model: {initialize_from: m}\n"
    "data: {train: t.tsv}\n"
    "training: {epochs: 3}\n"
    "output: o\n";

FinetuneConfig parse(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return parse_finetune_config(yaml, "c.yaml", overrides);
}

std::string complaint(const std::vector<std::string>& overrides) {
  try {
    parse(kSmallest, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(FinetuneConfig, HasTheUsualValuesWhereNothingIsSaid) {
  const FinetuneConfig config = parse(kSmallest);
  EXPECT_EQ(config.task, Task::kSequenceClassification);
  EXPECT_EQ(config.data.columns.text, "text");
  EXPECT_EQ(config.data.columns.label, "label");
  EXPECT_EQ(config.data.columns.pair, "");
  EXPECT_EQ(config.training.learning_rate, 5e-5);
  EXPECT_EQ(config.training.global_batch_size, 32);
  EXPECT_EQ(config.layer_decay, 1);
  EXPECT_TRUE(config.seeds.empty());
  EXPECT_FALSE(config.evaluation.every_steps.has_value());
}

TEST(FinetuneConfig, PrintsWhatReadsBackToTheSame) {
  const FinetuneConfig config =
      parse(kSmallest,
            {"task=multiple_choice", "data.choice_columns=[a, b]", "seeds=[3, 1]", "training.layer_decay=0.9",
             "model.keep_layers=[0, 2]", "distillation.teacher=big", "evaluation.patience=2", "data.validation=v.tsv"});
  const std::string yaml = to_yaml(config);
  const FinetuneConfig again = parse_finetune_config(yaml, "printed", {});
  EXPECT_EQ(to_yaml(again), yaml);
  EXPECT_EQ(again.seeds, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(again.model.keep_layers, (std::vector<int64_t>{0, 2}));
  EXPECT_TRUE(differences(config, again).empty());
  EXPECT_EQ(differences(config, parse(yaml, {"training.epochs=4"})),
            std::vector<std::string>{"training.epochs: 3 -> 4"});
}

TEST(FinetuneConfig, SaysWhatIsMissingOrWrong) {
  EXPECT_EQ(complaint({"model.initialize_from=null"}),
            "c.yaml: missing key 'initialize_from' in 'model' (a model directory)");
  EXPECT_EQ(complaint({"data.train=null"}), "c.yaml: missing key 'train' in 'data' (a file of examples)");
  EXPECT_EQ(complaint({"output=null"}), "c.yaml: missing key 'output' (the folder of the run)");
  EXPECT_EQ(complaint({"training.epochs=null"}),
            "c.yaml: missing key 'steps', 'epochs' or 'time_budget' in 'training'");
  EXPECT_EQ(complaint({"task=multiple_choice"}),
            "c.yaml: missing key 'choice_columns' in 'data' (two columns or more, one a choice)");
  EXPECT_NE(complaint({"evaluation.patience=2"}).find("'patience' needs 'validation' in 'data'"), std::string::npos);
  EXPECT_NE(
      complaint({"task=question_answering", "data.stride=128"}).find("stride 128 is not less than sequence_length 128"),
      std::string::npos);
  EXPECT_NE(complaint({"seeds=[1, 1]"}).find("holds a number twice"), std::string::npos);
  EXPECT_NE(complaint({"seeds=[one]"}).find("expected a list of integers"), std::string::npos);
  EXPECT_NE(complaint({"task=translation"}).find("expected sequence_classification, multi_label"), std::string::npos);
  EXPECT_NE(complaint({"training.layer_decay=1.5"}).find("from 0.001 to 1"), std::string::npos);
  EXPECT_NE(complaint({"data.trane=x"}).find("did you mean 'train'?"), std::string::npos);
}

TEST(FinetuneConfig, OurRecipesAreComplete) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BERTHA_SOURCE_DIR "/configs")) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("finetune-") && !name.starts_with("distill-")) continue;
    EXPECT_NO_THROW(load_finetune_config(entry.path(), {})) << name;
    ++read;
  }
  EXPECT_GE(read, 9);
}

}  // namespace
}  // namespace bertha
