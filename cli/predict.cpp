#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "autograd/core/error.h"
#include "cli/at_place.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/predictors.h"
#include "data/batches.h"

namespace bertha {
namespace {

PredictInput split_at_tabs(const std::string& line) {
  PredictInput texts;
  for (size_t begin = 0;;) {
    const size_t tab = line.find('\t', begin);
    texts.push_back(line.substr(begin, tab - begin));
    if (tab == line.npos) return texts;
    begin = tab + 1;
  }
}

void print_answers(Predictor& predictor, bool as_json) {
  for (const Reply& reply : predictor.answer()) {
    const std::string text = as_json ? reply.json + "\n" : reply.text;
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

// Whoever types lines waits for an answer to each. A line that cannot be answered ends the program after the answers to
// those before it.
void answer_lines(Predictor& predictor, bool as_json) {
  const int64_t batch = isatty(STDIN_FILENO) ? 1 : kInferenceBatchSize;
  int64_t number = 0, waiting = 0;
  const auto answer_waiting = [&] {
    if (std::exchange(waiting, 0) > 0) print_answers(predictor, as_json);
  };
  for (std::string line; std::getline(std::cin, line);) {
    try {
      at_place(fmt::format("line {}", ++number), [&] { predictor.add(split_at_tabs(line)); });
    } catch (const Error&) {
      answer_waiting();
      throw;
    }
    if (++waiting == batch) answer_waiting();
  }
  answer_waiting();
}

void run_predict(const PredictOptions& options) {
  const std::unique_ptr<Predictor> predictor = make_predictor(options);
  if (options.texts.empty()) {
    answer_lines(*predictor, options.json);
  } else {
    predictor->add(options.texts);
    print_answers(*predictor, options.json);
  }
  predictor->finish();
  if (const std::string note = predictor->note(); !note.empty()) fmt::print(stderr, "{}\n", note);
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
  command
      ->add_option("--sequence-length", options->lengths.sequence_length,
                   "Fine-tuned tasks: tokens of a sequence (default: as in fine-tuning, or the model's positions)")
      ->check(CLI::Range(8, 65535));
  command
      ->add_option("--stride", options->lengths.stride,
                   "question_answering: tokens that two windows of a long context share (default: as in fine-tuning)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--output", options->output, "embedding: write a NumPy file of one row a vector")
      ->check(output_file());
  command->add_flag("--json", options->json, "One JSON value an input");
  command->callback([options] { run_predict(*options); });
}

}  // namespace bertha
