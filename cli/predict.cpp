#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "cli/predictors.h"

namespace bertha {
namespace {

constexpr size_t kBatch = 32;  // inputs that are packed together

PredictInput split_at_tabs(const std::string& line) {
  PredictInput texts;
  for (size_t begin = 0;;) {
    const size_t tab = line.find('\t', begin);
    texts.push_back(line.substr(begin, tab - begin));
    if (tab == line.npos) return texts;
    begin = tab + 1;
  }
}

void answer(Predictor& predictor, std::span<const PredictInput> inputs, bool as_json) {
  for (const Reply& reply : predictor.predict(inputs)) {
    const std::string text = as_json ? reply.json + "\n" : reply.text;
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

// Whoever types lines waits for an answer to each.
void answer_lines(Predictor& predictor, bool as_json) {
  const size_t batch = isatty(STDIN_FILENO) ? 1 : kBatch;
  std::vector<PredictInput> inputs;
  for (std::string line; std::getline(std::cin, line);) {
    inputs.push_back(split_at_tabs(line));
    if (inputs.size() < batch) continue;
    answer(predictor, inputs, as_json);
    inputs.clear();
  }
  if (!inputs.empty()) answer(predictor, inputs, as_json);
}

void run_predict(const PredictOptions& options) {
  check<ConfigError>(options.output.empty() || options.task == Task::kEmbedding, "--output: is for --task embedding");
  const std::unique_ptr<Predictor> predictor = make_predictor(options);
  if (options.texts.empty()) {
    answer_lines(*predictor, options.json);
  } else {
    answer(*predictor, std::span(&options.texts, 1), options.json);
  }
  predictor->finish();
}

}  // namespace

void add_predict(CLI::App& app) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand(
      "predict", "Asks a model: from the command line, or one input a line of stdin, its texts parted by tabs.");
  command->add_option("MODEL", options->model, "A model directory")->required();
  command->add_option("TEXT", options->texts,
                      "A text, and its pair; a question and a context; a text and its choices. Left out: lines of "
                      "standard input");
  std::map<std::string, Task> tasks;
  for (const Task task : all_tasks()) tasks.emplace(task_name(task), task);
  tasks.erase("mlm");
  tasks.erase("mlm_nsp");
  command->add_option("--task", options->task, "What to predict (default: what the model was trained for)")
      ->transform(CLI::CheckedTransformer(tasks))
      ->option_text("TASK");
  command->add_option("--top-k", options->top_k, "Candidates for each mask, lines found (5), or answers (1)")
      ->check(CLI::PositiveNumber);
  const std::map<std::string, Pooling> poolings = {
      {"mean", Pooling::kMean}, {"cls", Pooling::kCls}, {"tokens", Pooling::kTokens}};
  command->add_option("--pooling", options->pooling, "Which hidden states make an embedding (default: mean)")
      ->transform(CLI::CheckedTransformer(poolings))
      ->option_text("mean|cls|tokens");
  command->add_option("--word", options->word, "Embed or compare this word as it stands in each text");
  command->add_option("--candidates", options->candidates, "similarity: find the most similar lines of this file")
      ->check(CLI::ExistingFile);
  command->add_option("--output", options->output, "embedding: write a NumPy file of one row a vector");
  command->add_flag("--json", options->json, "One JSON value an input");
  command->callback([options] { run_predict(*options); });
}

}  // namespace bertha
