#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "autograd/core/random.h"
#include "tests/cli/run_bertha.h"
#include "train/task.h"

namespace bertha {

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A sentence about an animal or a thing, at a place.
struct Sentence {
  std::string subject, place;
  bool animal = false;

  std::string text() const { return "the " + subject + " by the " + place + " ."; }
};

inline std::vector<Sentence> sentences(int count, uint64_t seed) {
  const std::vector<std::string> animals = {"bird", "fish", "horse", "fox"};
  const std::vector<std::string> things = {"door", "table", "boat", "lamp"};
  const std::vector<std::string> places = {"sea", "hill", "garden", "house"};
  RandomStream random(seed, "sentences");
  const auto pick = [&](const std::vector<std::string>& from) { return from[random.below(4)]; };
  std::vector<Sentence> list;
  for (int i = 0; i < count; ++i) {
    const bool animal = random.below(2) == 0;
    list.push_back({pick(animal ? animals : things), pick(places), animal});
  }
  return list;
}

/// A folder with examples of any task, made of such sentences, and a configuration that learns them in a second.
class SmallFinetuning : public ::testing::Test {
 protected:
  static constexpr const char* kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";
  static constexpr const char* kModel = BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_mlm";

  void write(const std::string& name, const std::string& content) const { std::ofstream(folder_ / name) << content; }

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
  CommandResult finetune_on(int ranks, const std::string& overrides) const {
    const std::string mpirun = "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 " BERTHA_MPIEXEC
                               " --oversubscribe --bind-to none -n ";
    return run_command("export OMP_NUM_THREADS=1; " + mpirun + std::to_string(ranks) + " " + BERTHA_BINARY +
                           " finetune " + (folder_ / "config.yaml") + " " + overrides,
                       "");
  }
  std::string command() const {
    return "OMP_NUM_THREADS=1 " + std::string(BERTHA_BINARY) + " finetune " + (folder_ / "config.yaml");
  }

  nlohmann::json evaluate(const std::string& data, const std::string& options = "") const {
    const CommandResult result =
        run_bertha("evaluate " + (folder_ / "run/model") + " --json --data " + (folder_ / data) + " " + options, "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }
  nlohmann::json predict(const std::string& input, const std::string& options = "") const {
    const CommandResult result = run_bertha("predict " + (folder_ / "run/model") + " --json " + options, input);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }
  nlohmann::json results(const std::string& run = "run") const {
    return nlohmann::json::parse(read_file(folder_ / (run + "/results.json")));
  }

  /// The files of a task's examples and its configuration.
  void write_examples(Task task) const {
    switch (task) {
      case Task::kMultiLabel:
        return write_several_labels();
      case Task::kRegression:
        return write_scores_of_pairs();
      case Task::kTokenClassification:
        return write_tags();
      case Task::kIntentAndSlots:
        return write_intents();
      case Task::kQuestionAnswering:
        return write_questions();
      case Task::kMultipleChoice:
        return write_choices();
      default:
        return write_classification();
    }
  }

  void write_classification() const {
    const auto row = [](const Sentence& s) { return s.text() + "\t" + (s.animal ? "animal" : "thing") + "\n"; };
    write_rows("train.tsv", "text\tlabel\n", 60, 1, row);
    write_rows("dev.tsv", "text\tlabel\n", 30, 2, row);
    write_configuration("sequence_classification", "train: " + file("train.tsv") + ", validation: " + file("dev.tsv"));
  }

  void write_several_labels() const {
    const auto row = [](const Sentence& s) {
      const std::vector<std::string> labels = {s.animal ? "an animal" : "a thing", "at " + s.place};
      return nlohmann::json({{"text", s.text()}, {"label", labels}}).dump() + "\n";
    };
    write_rows("train.jsonl", "", 80, 1, row);
    write_rows("dev.jsonl", "", 30, 2, row);
    write_configuration("multi_label", "train: " + file("train.jsonl") + ", validation: " + file("dev.jsonl"));
  }

  void write_scores_of_pairs() const {
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
  }

  void write_tags() const {
    const auto row = [](const Sentence& s) {
      return "the O\n" + s.subject + (s.animal ? " B-ANIMAL\n" : " O\n") + "by O\nthe B-PLACE\n" + s.place +
             " I-PLACE\n. O\n\n";
    };
    write_rows("train.conll", "", 60, 1, row);
    write_rows("dev.conll", "", 30, 2, row);
    write_configuration("token_classification", "train: " + file("train.conll") + ", validation: " + file("dev.conll"));
  }

  void write_intents() const {
    const auto row = [](const Sentence& s) {
      return std::string(s.animal ? "Look" : "Take") + "\tthe " + s.subject + " by the " + s.place +
             "\tO O O O B-place\n";
    };
    write_rows("train.tsv", "intent\ttokens\tslots\n", 60, 1, row);
    write_rows("dev.tsv", "intent\ttokens\tslots\n", 30, 2, row);
    write_configuration("intent_and_slots", "train: " + file("train.tsv") + ", validation: " + file("dev.tsv"));
  }

  void write_questions() const {
    using nlohmann::json;
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
  }

  void write_choices() const {
    const auto row = [](const Sentence& s) { return s.text() + "\truns\topens\t" + (s.animal ? "0" : "1") + "\n"; };
    write_rows("train.tsv", "text\tfirst\tsecond\tlabel\n", 80, 1, row);
    write_configuration("multiple_choice", "train: " + file("train.tsv") + ", validation: " + file("train.tsv") +
                                               ", choice_columns: [first, second]");
  }

  TemporaryDirectory folder_;

 private:
  // Rows for a table of sentences, each made by `row`.
  template <class F>
  void write_rows(const std::string& name, const std::string& header, int count, uint64_t seed, F&& row) const {
    std::string text = header;
    for (const Sentence& sentence : sentences(count, seed)) text += row(sentence);
    write(name, text);
  }
};

}  // namespace bertha
