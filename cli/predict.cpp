#include <fmt/format.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "train/model_directory.h"
#include "train/recipes/fill_mask.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

enum class PredictionTask { kFillMask, kNextSentence };

struct PredictOptions {
  std::string model;
  std::optional<std::string> text, pair;
  std::optional<PredictionTask> task;
  int64_t top_k = 5;
  bool json = false;
};

struct Predictor {
  std::unique_ptr<BertForPretraining> model;
  WordPiece tokenizer;
  PredictionTask task;
  const PredictOptions& options;

  void answer(const std::string& text, const std::optional<std::string>& pair) const {
    task == PredictionTask::kFillMask ? fill(text, pair) : judge(text, pair);
  }

 private:
  void fill(const std::string& text, const std::optional<std::string>& pair) const {
    const Encoding encoding = tokenizer.encode(text, pair, {});
    const auto masks = fill_mask(*model, encoding, tokenizer.vocabulary().mask(), options.top_k);
    ordered_json object = ordered_json::array();
    for (const auto& candidates : masks) {
      ordered_json list = ordered_json::array();
      for (const Candidate& candidate : candidates) {
        const std::string token = token_name(candidate.id);
        list.push_back({{"token", token}, {"id", candidate.id}, {"score", candidate.score}});
        if (!options.json) fmt::print("{:<20} {:.4f}\n", token, candidate.score);
      }
      if (!options.json) fmt::print("\n");
      object.push_back(std::move(list));
    }
    if (options.json) fmt::print("{}\n", (object.size() == 1 ? object.front() : object).dump());
  }

  void judge(const std::string& text, const std::optional<std::string>& pair) const {
    check<ConfigError>(pair.has_value(), "next_sentence: a second text is needed (TEXT PAIR, or text<TAB>pair)");
    const double score = next_sentence_probability(*model, tokenizer.encode(text, pair, {}));
    const bool is_next = score >= 0.5;
    if (options.json) {
      fmt::print("{}\n", ordered_json({{"is_next", is_next}, {"score", score}}).dump());
    } else {
      fmt::print("{} {:.4f}\n", is_next ? "is_next" : "not_next", score);
    }
  }

  // A model may have more rows than the vocabulary has tokens.
  std::string token_name(int32_t id) const {
    return id < tokenizer.vocabulary().size() ? tokenizer.vocabulary().token(id) : fmt::format("[unused {}]", id);
  }
};

void run_predict(const PredictOptions& options) {
  auto model = read_model(options.model);
  const PredictionTask natural =
      model->heads() == PretrainingHeads::kNextSentence ? PredictionTask::kNextSentence : PredictionTask::kFillMask;
  WordPiece tokenizer = read_tokenizer(options.model, model->config());
  const PredictionTask task = options.task.value_or(natural);
  const PretrainingHeads lacking =
      task == PredictionTask::kFillMask ? PretrainingHeads::kNextSentence : PretrainingHeads::kMlm;
  check<MismatchError>(model->heads() != lacking, options.model, ": has no head for this task");
  const Predictor predictor{std::move(model), std::move(tokenizer), task, options};
  if (options.text) return predictor.answer(*options.text, options.pair);
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t tab = line.find('\t');
    predictor.answer(line.substr(0, tab),
                     tab == std::string::npos ? std::nullopt : std::optional(line.substr(tab + 1)));
  }
}

}  // namespace

void add_predict(CLI::App& app) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand(
      "predict", "Fills [MASK]s, or tells whether a text follows another; from the command line or lines of stdin.");
  command->add_option("MODEL", options->model, "A model directory")->required();
  command->add_option("TEXT", options->text, "Left out: lines of standard input, text or text<TAB>pair");
  command->add_option("PAIR", options->pair, "A second text");
  const std::map<std::string, PredictionTask> tasks = {{"fill_mask", PredictionTask::kFillMask},
                                                       {"next_sentence", PredictionTask::kNextSentence}};
  command->add_option("--task", options->task, "What to predict (default: what the model was trained for)")
      ->transform(CLI::CheckedTransformer(tasks))
      ->option_text("fill_mask|next_sentence");
  command->add_option("--top-k", options->top_k, "Candidates for each mask")->check(CLI::PositiveNumber);
  command->add_flag("--json", options->json, "One JSON value an input");
  command->callback([options] { run_predict(*options); });
}

}  // namespace bertha
