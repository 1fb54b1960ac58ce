#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "tests/cli/small_finetuning.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Finetune : public SmallFinetuning {};

TEST_F(Finetune, LearnsClassesAndRemembersThem) {
  write_classification();
  const CommandResult result = finetune();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("a new head, initialised at random: bert.pooler.dense.bias"), std::string::npos);
  EXPECT_NE(result.err.find("not used, of"), std::string::npos) << "the masked-LM head";
  EXPECT_GT(results()["validation"]["accuracy"].get<double>(), 0.9);
  EXPECT_EQ(evaluate("dev.tsv", "--predictions " + (folder_ / "out.tsv")), results()["validation"]);
  EXPECT_EQ(read_file(folder_ / "out.tsv").substr(0, 28), "index\tlabel\tpredicted\tscore\n");
  const json answer = predict("the fox by the sea .\n");
  EXPECT_EQ(answer["label"], "animal");
  EXPECT_NEAR(answer["scores"]["animal"].get<double>() + answer["scores"]["thing"].get<double>(), 1, 1e-9);
  EXPECT_NE(read_file(folder_ / "run/results.txt").find("gold \\ predicted"), std::string::npos);
  EXPECT_NE(finetune().err.find("this run is finished"), std::string::npos);
}

TEST_F(Finetune, EveryDifferenceToTheCheckpointsConfigurationIsSaid) {
  write_classification();
  ASSERT_EQ(finetune("training.epochs=1").exit_code, 0);
  const std::string changed = "training.epochs=2 training.learning_rate=1e-3 spikes.action=skip";
  const CommandResult result = finetune(changed);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* difference :
       {"training.epochs: 1 -> 2", "training.learning_rate: 0.003 -> 0.001", "spikes.action: none -> skip"}) {
    EXPECT_NE(result.err.find(std::string("changed since the checkpoint: ") + difference), std::string::npos)
        << result.err;
  }
  EXPECT_EQ(finetune(changed).err.find("changed since"), std::string::npos);
}

TEST_F(Finetune, MakesARunForEachSeed) {
  write_classification();
  const CommandResult result = finetune("seeds='[1, 2]' training.epochs=1");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json summary = results()["validation.accuracy"];
  const double first = results("run/seed-1")["validation"]["accuracy"];
  const double second = results("run/seed-2")["validation"]["accuracy"];
  EXPECT_NEAR(summary["mean"].get<double>(), (first + second) / 2, 1e-12);
  EXPECT_NEAR(summary["deviation"].get<double>(), std::abs(first - second) / std::sqrt(2.0), 1e-12);
}

TEST_F(Finetune, StopsWhenPatienceEndsAndKeepsTheBest) {
  write_classification();
  const CommandResult result = finetune("training.epochs=40 evaluation.patience=2 evaluation.every_steps=4");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(read_file(folder_ / "run/metrics.jsonl"));
  int64_t last = 0;
  double best = 0;
  for (std::string line; std::getline(lines, line);) {
    const json object = json::parse(line);
    last = object["step"];
    if (object["phase"] == "evaluation") best = std::max(best, object["accuracy"].get<double>());
  }
  EXPECT_LT(last, 300) << "40 epochs of 8 steps";
  EXPECT_EQ(results()["validation"]["accuracy"].get<double>(), best);
  EXPECT_NE(finetune("training.epochs=40 evaluation.patience=2 evaluation.every_steps=4").err.find("is finished"),
            std::string::npos);
}

TEST_F(Finetune, LearnsSeveralLabels) {
  write_several_labels();
  ASSERT_EQ(finetune("training.epochs=25").exit_code, 0);
  EXPECT_GT(evaluate("dev.jsonl")["micro_f1"].get<double>(), 0.8);
  const json answer = predict("the boat by the hill .\n");
  EXPECT_EQ(answer["scores"].size(), 6u);
  EXPECT_EQ(answer["labels"].size(), 2u) << answer;
}

TEST_F(Finetune, LearnsScoresOfPairs) {
  write_scores_of_pairs();
  ASSERT_EQ(finetune("training.epochs=20").exit_code, 0);
  const json scores = evaluate("train.csv");
  EXPECT_GT(scores["pearson"].get<double>(), 0.7) << scores;
  EXPECT_TRUE(scores.contains("spearman") && scores.contains("mse"));
  EXPECT_TRUE(predict("the fox by the sea .\tthe bird by the sea .\n")["score"].is_number());
}

// Of vocab.txt and of one type, as some write RoBERTa's directories.
TEST_F(Finetune, GivesPairsToAModelOfOneType) {
  write_scores_of_pairs();
  const CommandResult result = finetune("training.epochs=20 model.initialize_from=" + std::string(kModels) +
                                        "roberta_mlm data.sequence_length=19");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(evaluate("train.csv")["pearson"].get<double>(), 0.7);
  EXPECT_TRUE(predict("the fox by the sea .\tthe bird by the sea .\n")["score"].is_number());
}

TEST_F(Finetune, TagsWordsAndGivesTheirPlacesInTheText) {
  write_tags();
  ASSERT_EQ(finetune().exit_code, 0);
  EXPECT_GT(evaluate("dev.conll", "--predictions " + (folder_ / "out"))["f1"].get<double>(), 0.9);
  EXPECT_EQ(read_file(folder_ / "out").substr(0, 8), "the O O\n");
  const json spans = predict("The  fox by the sea.\n");
  ASSERT_EQ(spans.size(), 2u) << spans;
  EXPECT_EQ(spans[0]["entity"], "ANIMAL");
  EXPECT_EQ(spans[0]["start"], 5);
  EXPECT_EQ(spans[0]["end"], 8);
  EXPECT_EQ(spans[0]["text"], "fox");
  EXPECT_EQ(spans[1]["text"], "the sea");
}

TEST_F(Finetune, LearnsIntentsAndSlotsTogether) {
  write_intents();
  ASSERT_EQ(finetune("training.epochs=12").exit_code, 0);
  const json scores = evaluate("dev.tsv");
  EXPECT_GT(scores["joint_accuracy"].get<double>(), 0.9) << scores;
  EXPECT_TRUE(scores.contains("intent_accuracy") && scores.contains("slot_f1"));
  const json answer = predict("the lamp by the house\n");
  EXPECT_EQ(answer["intent"], "Take");
  ASSERT_EQ(answer["slots"].size(), 1u);
  EXPECT_EQ(answer["slots"][0]["text"], "house");
}

TEST_F(Finetune, FindsAnswersInLongContexts) {
  write_questions();
  const CommandResult result = finetune("training.epochs=12");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json scores = evaluate("train.json", "--predictions " + (folder_ / "out.json"));
  EXPECT_GT(scores["exact_match"].get<double>(), 80) << scores;
  EXPECT_EQ(json::parse(read_file(folder_ / "out.json")).size(), 60u);
  const json answer = predict("by ?\tthe old teacher reads . the fox by the garden . the child sings .\n");
  EXPECT_EQ(answer["answer"], "garden");
  EXPECT_EQ(answer["start"], 39);
  EXPECT_EQ(answer["end"], 45);
  EXPECT_EQ(predict("by ?\tthe fox by the garden .\n", "--top-k 3").size(), 3u);
}

TEST_F(Finetune, ChoosesAmongSeveral) {
  write_choices();
  ASSERT_EQ(finetune("training.epochs=12").exit_code, 0);
  EXPECT_GT(evaluate("train.tsv")["accuracy"].get<double>(), 0.9);
  const json answer = predict("the horse by the sea .\truns\topens\n");
  EXPECT_EQ(answer["choice"], 0);
  EXPECT_EQ(answer["text"], "runs");
  EXPECT_EQ(answer["scores"].size(), 2u);
}

TEST_F(Finetune, SaysWhatItWouldDoAndWritesNothing) {
  write_classification();
  const CommandResult plan = finetune("--dry-run");
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_NE(plan.out.find("labels: animal, thing"), std::string::npos) << plan.out;
  EXPECT_NE(plan.out.find("length: 45 steps"), std::string::npos) << plan.out;
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_NE(finetune("--print-config").out.find("layer_decay: 1"), std::string::npos);
}

TEST_F(Finetune, BadInputIsOneSentenceAndTheRightCode) {
  struct Bad {
    std::string name, content, overrides;
    int code;
    std::string sentence;
  };
  const std::vector<Bad> all = {
      {"dev.tsv", "text\tlabel\nthe fox .\tplant\n", "", 3,
       "dev.tsv:2: label 'plant' is unknown (the model has animal, thing)"},
      {"dev.tsv", "text\tlabel\nthe fox .\n", "", 3, "dev.tsv:2:"},
      {"dev.tsv", "texts\tlabel\nthe fox .\tthing\n", "", 2, "dev.tsv"},
      {"", "", "task=regression", 3, "'animal' in column 'label' is not a number"},
      {"", "", "data.train=nowhere.tsv", 2, "nowhere.tsv"},
      {"", "", "model.initialize_from=nowhere", 2, "nowhere/config.json"},
      {"", "", "data.sequence_length=64", 4, "data.sequence_length: 64 tokens (the model has 20 positions)"},
      {"", "", "model.keep_layers='[7]'", 2, "model.keep_layers: 7 (the model has layers 0 to 1)"},
      {"", "", std::string("distillation.teacher=") + kModel, 4, "was fine-tuned for another task"},
  };
  for (const Bad& bad : all) {
    write_classification();
    if (!bad.name.empty()) write(bad.name, bad.content);
    const CommandResult result = finetune(bad.overrides);
    EXPECT_EQ(result.exit_code, bad.code) << bad.sentence << "\n" << result.err;
    EXPECT_NE(result.err.find(bad.sentence), std::string::npos) << bad.sentence << "\n" << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "run/model"));
  }
}

}  // namespace
}  // namespace bertha
