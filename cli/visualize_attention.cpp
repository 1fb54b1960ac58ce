#include <fmt/format.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "data/file.h"
#include "visualize/attention_capture.h"
#include "visualize/attention_page.h"
#include "visualize/attention_rollout.h"
#include "visualize/attention_text.h"

namespace bertha {
namespace {

struct AttentionOptions {
  std::string model, compare, output, text;
  std::optional<std::string> pair;
  int64_t max_length = std::numeric_limits<int64_t>::max();
  bool json = false, terminal = false;
  int64_t layer = 0;
  std::optional<int64_t> head;
};

AttentionText read_text(const AttentionModel& model, const AttentionOptions& options, int64_t longest) {
  AttentionText text = model.read(options.text, options.pair, longest);
  check<ConfigError>(text.tokens() > 0, "--text: holds no token");
  return text;
}

void say_what_is_left_out(const AttentionText& text) {
  if (text.left_out == 0) return;
  fmt::print(stderr, "text: cut to {} tokens; {} left out\n", text.tokens(), text.left_out);
}

std::vector<std::string> tokens_of(const AttentionModel& model, const AttentionText& text) {
  std::vector<std::string> tokens;
  for (const int32_t id : text.encoding.ids) tokens.push_back(model.tokenizer().token(id));
  return tokens;
}

void put(const fmt::memory_buffer& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// Of a square matrix; by rows, for it may be large.
void print_matrix(std::span<const float> weights, int64_t n) {
  for (int64_t row = 0; row < n; ++row) {
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), "{}[", row == 0 ? "[" : ",");
    for (int64_t i = 0; i < n; ++i) {
      fmt::format_to(std::back_inserter(text), "{}{}", i == 0 ? "" : ",", weights[static_cast<size_t>(row * n + i)]);
    }
    fmt::format_to(std::back_inserter(text), "]{}", row == n - 1 ? "]" : "");
    put(text);
  }
}

void print_json(const AttentionModel& model, const AttentionText& text) {
  using nlohmann::json;
  const json tokens = tokens_of(model, text);
  fmt::print("{{\"tokens\":{},\"attentions\":[", tokens.dump(-1, ' ', false, json::error_handler_t::replace));
  model.attend(text.encoding, 0, [](const LayerAttention& layer) {
    fmt::print("{}[", layer.layer == 0 ? "" : ",");
    for (int64_t head = 0; head < layer.heads; ++head) {
      fmt::print("{}", head == 0 ? "" : ",");
      print_matrix(layer.head(head), layer.tokens);
    }
    fmt::print("]");
  });
  fmt::print("]}}\n");
}

std::vector<double> chosen_weights(const LayerAttention& layer, std::optional<int64_t> head) {
  if (!head) return mean_of_heads(layer);
  const std::span<const float> weights = layer.head(*head);
  return {weights.begin(), weights.end()};
}

void print_matrix_text(const AttentionModel& model, const AttentionText& text, const AttentionOptions& options) {
  std::vector<std::string> tokens;
  for (const int32_t id : text.encoding.ids) tokens.push_back(model.tokenizer().readable(id));
  const MatrixLayout layout{.width = terminal_width(), .color = terminal_colors()};
  model.attend(text.encoding, 0, [&](const LayerAttention& layer) {
    if (layer.layer != options.layer) return;
    fmt::print("Layer {} of {}, {}\n\n", options.layer, model.config().num_hidden_layers,
               options.head ? fmt::format("head {} of {}", *options.head, layer.heads)
                            : fmt::format("mean over {} heads", layer.heads));
    fmt::print("{}", attention_text(tokens, chosen_weights(layer, options.head), layout));
  });
}

// Both count from 0.
void check_in_model(const AttentionModel& model, const AttentionOptions& options) {
  const BertConfig& config = model.config();
  check<ConfigError>(options.layer < config.num_hidden_layers, "--layer: ", options.layer, " (the model has ",
                     config.num_hidden_layers, " layers, counted from 0)");
  check<ConfigError>(!options.head || *options.head < config.num_attention_heads, "--head: ", options.head.value_or(0),
                     " (the model has ", config.num_attention_heads, " heads, counted from 0)");
}

void write_page(const AttentionModel& model, const AttentionOptions& options) {
  std::optional<AttentionModel> other;
  int64_t longest = options.max_length;
  if (!options.compare.empty()) {
    longest = std::min(longest, model.config().longest_sequence());
    longest = std::min(longest, other.emplace(options.compare).config().longest_sequence());
  }
  std::vector<AttentionSubject> subjects = {{&model, read_text(model, options, longest)}};
  if (other) {
    subjects.push_back({&*other, read_text(*other, options, longest)});
    check_same_tokens(subjects[0], subjects[1]);
  }
  say_what_is_left_out(subjects[0].text);
  const std::string page = attention_page(subjects);
  write_durably(options.output, page);
  say_written(options.output, page.size());
}

void run_attention(const AttentionOptions& options) {
  const AttentionModel model(options.model);
  check_in_model(model, options);
  if (!options.output.empty()) return write_page(model, options);
  const AttentionText text = read_text(model, options, options.max_length);
  say_what_is_left_out(text);
  options.json ? print_json(model, text) : print_matrix_text(model, text, options);
}

}  // namespace

void add_visualize_attention(CLI::App& visualize) {
  const auto options = std::make_shared<AttentionOptions>();
  CLI::App* command = visualize.add_subcommand(
      "attention", "Shows which tokens attend to which, in every layer and head: a page, numbers, or a matrix here.");
  command->add_option("MODEL", options->model, "A model directory, or a checkpoint")->required();
  command->add_option("--text", options->text, "What the model reads")->required();
  command->add_option("--pair", options->pair, "A second text");
  command
      ->add_option("--max-length", options->max_length,
                   "Cut to this many tokens, special tokens included (default: the model's positions)")
      ->check(CLI::PositiveNumber);
  CLI::Option_group* form = command->add_option_group("Form", "One of");
  CLI::Option* output = form->add_option("--output", options->output, "Write a page that opens in any browser");
  output->check(output_file());
  form->add_flag("--json", options->json, "Print {\"tokens\", \"attentions\"}: layers by heads by queries by keys");
  CLI::Option* terminal = form->add_flag("--terminal", options->terminal, "Print one layer as a matrix");
  form->require_option(1);
  command
      ->add_option("--compare", options->compare, "Another model, beside it on the page; it must read the same tokens")
      ->needs(output);
  command->add_option("--layer", options->layer, "Which layer, counted from 0 (default: 0)")
      ->check(CLI::NonNegativeNumber)
      ->needs(terminal);
  command->add_option("--head", options->head, "Which head, counted from 0 (default: the mean over heads)")
      ->check(CLI::NonNegativeNumber)
      ->needs(terminal);
  command->callback([options] { run_attention(*options); });
}

}  // namespace bertha
