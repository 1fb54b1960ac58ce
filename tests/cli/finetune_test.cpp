#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "autograd/core/random.h"
#include "tests/cli/run_bertha.h"
#include "tests/python.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::vector<std::string> kAnimals = {"bird", "fish", "horse", "fox"};
const std::vector<std::string> kThings = {"door", "table", "boat", "lamp"};
const std::vector<std::string> kPlaces = {"sea", "hill", "garden", "house"};

// A sentence about an animal or a thing, at a place.
struct Sentence {
  std::string subject, place;
  bool animal = false;

  std::string text() const { return "the " + subject + " by the " + place + " ."; }
};

std::vector<Sentence> sentences(int count, uint64_t seed) {
  RandomStream random(seed, "sentences");
  const auto pick = [&](const std::vector<std::string>& from) { return from[random.below(4)]; };
  std::vector<Sentence> list;
  for (int i = 0; i < count; ++i) {
    const bool animal = random.below(2) == 0;
    list.push_back({pick(animal ? kAnimals : kThings), pick(kPlaces), animal});
  }
  return list;
}

class Finetune : public ::testing::Test {
 protected:
  static constexpr const char* kModel = BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_mlm";

  void write(const std::string& name, const std::string& content) const { std::ofstream(folder_ / name) << content; }

  // Rows for a table of sentences, each made by `row`.
  template <class F>
  void write_rows(const std::string& name, const std::string& header, int count, uint64_t seed, F&& row) const {
    std::string text = header;
    for (const Sentence& sentence : sentences(count, seed)) text += row(sentence);
    write(name, text);
  }

  void write_configuration(const std::string& task, const std::string& data) const {
    write("config.yaml", std::string("model: {initialize_from: '") + kModel + "'}\ntask: " + task + "\ndata: {" + data +
                             ", sequence_length: 20, stride: 4}\n" +
                             "training: {epochs: 6, global_batch_size: 8, micro_batch_size: 4, learning_rate: 3e-3}\n" +
                             "checkpoint: {every_steps: 10, keep: 20}\noutput: '" + (folder_ / "run") + "'\n");
  }

  std::string file(const std::string& name) const { return std::string("'").append(folder_ / name).append("'"); }

  CommandResult finetune(const std::string& overrides = "") const {
    return run_command(command() + " " + overrides, "");
  }
  std::string command() const {
    return "OMP_NUM_THREADS=1 " + std::string(BERTHA_BINARY) + " finetune " + (folder_ / "config.yaml");
  }

  json evaluate(const std::string& data, const std::string& options = "") const {
    const CommandResult result =
        run_bertha("evaluate " + (folder_ / "run/model") + " --json --data " + (folder_ / data) + " " + options, "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, false);
  }
  json predict(const std::string& input, const std::string& options = "") const {
    const CommandResult result = run_bertha("predict " + (folder_ / "run/model") + " --json " + options, input);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, false);
  }
  json results(const std::string& run = "run") const {
    return json::parse(read_file(folder_ / (run + "/results.json")));
  }

  void write_classification() const {
    const auto row = [](const Sentence& s) { return s.text() + "\t" + (s.animal ? "animal" : "thing") + "\n"; };
    write_rows("train.tsv", "text\tlabel\n", 60, 1, row);
    write_rows("dev.tsv", "text\tlabel\n", 30, 2, row);
    write_configuration("sequence_classification", "train: " + file("train.tsv") + ", validation: " + file("dev.tsv"));
  }

  TemporaryDirectory folder_;
};

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

TEST_F(Finetune, ResumesFromAnyCheckpointToTheSameBytes) {
  write_classification();
  ASSERT_EQ(finetune().exit_code, 0);
  const std::string weights = read_file(folder_ / "run/model/model.safetensors");
  for (const char* step : {"10", "30"}) {
    fs::remove_all(folder_ / "run/model");
    fs::remove_all(folder_ / "run/best");
    for (const auto& checkpoint : fs::directory_iterator(folder_ / "run/checkpoints")) {
      const std::string name = checkpoint.path().filename();
      if (name.starts_with("step-") && std::stoi(name.substr(5)) > std::stoi(step)) fs::remove_all(checkpoint.path());
    }
    const CommandResult result = finetune();
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read_file(folder_ / "run/model/model.safetensors"), weights) << "from step " << step;
    EXPECT_GT(results()["validation"]["accuracy"].get<double>(), 0.9);
  }
}

TEST_F(Finetune, RanksTrainTheSameModel) {
  write_classification();
  ASSERT_EQ(finetune("training.deterministic=true training.epochs=2").exit_code, 0);
  const CommandResult ranks =
      run_command("OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 " BERTHA_MPIEXEC
                  " --oversubscribe --bind-to none -n 2 " +
                      std::string(BERTHA_BINARY) + " finetune " + (folder_ / "config.yaml") +
                      " training.deterministic=true training.epochs=2 output=" + (folder_ / "ranks"),
                  "");
  ASSERT_EQ(ranks.exit_code, 0) << ranks.err;
  EXPECT_EQ(read_file(folder_ / "run/model/model.safetensors"), read_file(folder_ / "ranks/model/model.safetensors"));
  EXPECT_EQ(results(), results("ranks"));
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

TEST_F(Finetune, AStudentOfFewerLayersLearnsFromItsTeacher) {
  write_classification();
  ASSERT_EQ(finetune().exit_code, 0);
  const CommandResult result = finetune("model.initialize_from=" + (folder_ / "run/model") +
                                        " model.keep_layers='[1]' distillation.teacher=" + (folder_ / "run/model") +
                                        " output=" + (folder_ / "student"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(results("student")["validation"]["accuracy"].get<double>(), 0.9);
  EXPECT_EQ(json::parse(read_file(folder_ / "student/model/config.json"))["num_hidden_layers"], 1);
  EXPECT_NE(read_file(folder_ / "student/metrics.jsonl").find("\"teacher_loss\""), std::string::npos);
}

TEST_F(Finetune, LearnsSeveralLabels) {
  const auto row = [](const Sentence& s) {
    const std::vector<std::string> labels = {s.animal ? "an animal" : "a thing", "at " + s.place};
    return json({{"text", s.text()}, {"label", labels}}).dump() + "\n";
  };
  write_rows("train.jsonl", "", 80, 1, row);
  write_rows("dev.jsonl", "", 30, 2, row);
  write_configuration("multi_label", "train: " + file("train.jsonl") + ", validation: " + file("dev.jsonl"));
  ASSERT_EQ(finetune("training.epochs=25").exit_code, 0);
  EXPECT_GT(evaluate("dev.jsonl")["micro_f1"].get<double>(), 0.8);
  const json answer = predict("the boat by the hill .\n");
  EXPECT_EQ(answer["scores"].size(), 6u);
  EXPECT_EQ(answer["labels"].size(), 2u) << answer;
}

TEST_F(Finetune, LearnsScoresOfPairs) {
  RandomStream random(3, "pairs");
  std::string rows = "a,b,score\n";
  const auto all = sentences(80, 1);
  for (const Sentence& s : all) {
    const Sentence& other = all[random.below(80)];
    rows += s.text() + ",\"" + other.text() + "\"," + (s.animal == other.animal ? "2.5" : "-1") + "\n";
  }
  write("train.csv", rows);
  write_configuration("regression", "train: " + file("train.csv") + ", validation: " + file("train.csv") +
                                        ", text_column: a, pair_column: b, label_column: score");
  ASSERT_EQ(finetune("training.epochs=20").exit_code, 0);
  const json scores = evaluate("train.csv");
  EXPECT_GT(scores["pearson"].get<double>(), 0.7) << scores;
  EXPECT_TRUE(scores.contains("spearman") && scores.contains("mse"));
  EXPECT_TRUE(predict("the fox by the sea .\tthe bird by the sea .\n")["score"].is_number());
}

TEST_F(Finetune, TagsWordsAndGivesTheirPlacesInTheText) {
  const auto row = [](const Sentence& s) {
    return "the O\n" + s.subject + (s.animal ? " B-ANIMAL\n" : " O\n") + "by O\nthe B-PLACE\n" + s.place +
           " I-PLACE\n. O\n\n";
  };
  write_rows("train.conll", "", 60, 1, row);
  write_rows("dev.conll", "", 30, 2, row);
  write_configuration("token_classification", "train: " + file("train.conll") + ", validation: " + file("dev.conll"));
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
  const auto row = [](const Sentence& s) {
    return std::string(s.animal ? "Look" : "Take") + "\tthe " + s.subject + " by the " + s.place +
           "\tO O O O B-place\n";
  };
  write_rows("train.tsv", "intent\ttokens\tslots\n", 60, 1, row);
  write_rows("dev.tsv", "intent\ttokens\tslots\n", 30, 2, row);
  write_configuration("intent_and_slots", "train: " + file("train.tsv") + ", validation: " + file("dev.tsv"));
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
  json paragraphs = json::array();
  int number = 0;
  for (const Sentence& s : sentences(60, 1)) {
    const std::string context = "the old teacher reads . " + s.text() + " the child sings , the farmer waits .";
    const json qas = {{{"id", std::to_string(number++)},
                       {"question", "by ?"},
                       {"answers", {{{"text", s.place}, {"answer_start", context.find(s.place)}}}}}};
    paragraphs.push_back({{"context", context}, {"qas", qas}});
  }
  write("train.json", json({{"version", "1.1"}, {"data", {{{"title", "t"}, {"paragraphs", paragraphs}}}}}).dump());
  write_configuration("question_answering", "train: " + file("train.json") + ", validation: " + file("train.json"));
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
  const auto row = [](const Sentence& s) {
    const std::string right = s.animal ? "runs" : "opens";
    return s.text() + "\truns\topens\t" + (s.animal ? "0" : "1") + "\n";
  };
  write_rows("train.tsv", "text\tfirst\tsecond\tlabel\n", 80, 1, row);
  write_configuration("multiple_choice", "train: " + file("train.tsv") + ", validation: " + file("train.tsv") +
                                             ", choice_columns: [first, second]");
  ASSERT_EQ(finetune("training.epochs=12").exit_code, 0);
  EXPECT_GT(evaluate("train.tsv")["accuracy"].get<double>(), 0.9);
  const json answer = predict("the horse by the sea .\truns\topens\n");
  EXPECT_EQ(answer["choice"], 0);
  EXPECT_EQ(answer["text"], "runs");
  EXPECT_EQ(answer["scores"].size(), 2u);
}

TEST_F(Finetune, ParityWithHuggingFaceWhichLoadsEveryHead) {
  if (!python_has("torch, transformers")) {
    GTEST_SKIP() << python() << " has no torch and transformers (BERTHA_PYTHON names another)";
  }
  const auto load = [&](const std::string& text) {
    const CommandResult result = run_command(quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/load_task.py " +
                                                 (folder_ / "run/model") + " " + quoted(text),
                                             "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, false);
  };
  write_classification();
  ASSERT_EQ(finetune("training.epochs=1").exit_code, 0);
  const json loaded = load("the fox by the sea .");
  EXPECT_TRUE(loaded["problems"].empty()) << loaded;
  const json ours = predict("the fox by the sea .\n")["scores"];
  for (const auto& [label, score] : ours.items()) {
    EXPECT_NEAR(loaded["scores"][label].get<double>(), score.get<double>(), 1e-5) << label;
  }
  fs::remove_all(folder_ / "run");
  write("train.conll", "the O\nfox B-ANIMAL\n\na O\nlamp O\n");
  write_configuration("token_classification", "train: " + file("train.conll"));
  ASSERT_EQ(finetune("training.epochs=1").exit_code, 0);
  EXPECT_TRUE(load("the fox")["problems"].empty());
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
