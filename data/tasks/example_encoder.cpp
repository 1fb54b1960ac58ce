#include "data/tasks/example_encoder.h"

#include <algorithm>

#include "autograd/core/error.h"
#include "data/utf8.h"

namespace bertha {
namespace {

std::vector<Encoding> windows_of(Encoding encoding) {
  std::vector<Encoding> windows = std::move(encoding.overflow);
  encoding.overflow.clear();
  windows.insert(windows.begin(), std::move(encoding));
  return windows;
}

std::string_view first_code_points(std::string_view text, int64_t count) {
  size_t bytes = 0;
  for (; count > 0; --count) bytes += static_cast<size_t>(decode_utf8(text.substr(bytes)).bytes);
  return text.substr(0, bytes);
}

// Words joined by blanks, and where each lies in that.
struct JoinedWords {
  std::string text;
  std::vector<CodePoints> places;

  explicit JoinedWords(std::span<const std::string> words) {
    int32_t at = 0;
    for (const std::string& word : words) {
      if (!text.empty()) {
        text += ' ';
        ++at;
      }
      const auto length = static_cast<int32_t>(count_code_points(word));
      places.push_back({at, at + length});
      text += word;
      at += length;
    }
  }
};

}  // namespace

ExampleEncoder::ExampleEncoder(const Tokenizer& tokenizer, int64_t sequence_length, int64_t stride)
    : tokenizer_(tokenizer),
      options_{.max_length = sequence_length, .truncation = Truncation::kLongestFirst, .stride = stride} {}

TaskSequence ExampleEncoder::sequence(const Encoding& encoding) const {
  const auto second = std::ranges::find(encoding.type_ids, 1);
  return {encoding.ids, static_cast<int32_t>(second - encoding.type_ids.begin())};
}

TaskExample ExampleEncoder::text(std::string_view text, std::optional<std::string_view> pair) const {
  EncodeOptions options = options_;
  options.stride = 0;
  const Encoding encoding = tokenizer_.encode(text, pair, options);
  TaskExample example;
  example.sequences.push_back(sequence(encoding));
  example.is_cut = !encoding.overflow.empty();
  return example;
}

TaskExample ExampleEncoder::choices(std::string_view text, std::span<const std::string> choices) const {
  TaskExample example;
  for (const std::string& choice : choices) {
    TaskExample one = this->text(text, choice);
    example.sequences.push_back(std::move(one.sequences.front()));
    example.is_cut |= one.is_cut;
  }
  return example;
}

std::vector<TaskExample> ExampleEncoder::words(std::span<const std::string> words) const {
  const JoinedWords joined(words);
  EncodeOptions options = options_;
  options.truncation = Truncation::kOnlyFirst;
  options.stride = 0;
  std::vector<TaskExample> examples;
  size_t word = 0;
  for (const Encoding& window : windows_of(tokenizer_.encode(joined.text, std::nullopt, options))) {
    TaskExample& example = examples.emplace_back();
    example.sequences.push_back(sequence(window));
    for (size_t row = 0; row < window.ids.size(); ++row) {
      const auto [begin, end] = window.offsets[row];
      if (begin == end) continue;
      while (word < joined.places.size() && joined.places[word].end <= begin) ++word;
      // Later pieces of a word that has its row are passed over: the word is then the one after it.
      if (word == joined.places.size() || begin < joined.places[word].begin) continue;
      example.rows.push_back(static_cast<int32_t>(row));
      example.words.push_back(static_cast<int32_t>(word++));
    }
  }
  return examples;
}

std::string_view ExampleEncoder::shortened(std::string_view question, std::string_view context) const {
  const int64_t special = std::ssize(tokenizer_.encode("", "", {}).ids);
  const int64_t most = (options_.max_length - special - options_.stride) / 2;
  check<ConfigError>(most > 0, "sequence_length ", options_.max_length, " and stride ", options_.stride,
                     " leave no room for a question and a context");
  std::vector<TextRange> tokens = tokenizer_.encode(question, std::nullopt, {}).offsets;
  std::erase_if(tokens, [](const TextRange& token) { return token.first == token.second; });
  if (std::ssize(tokens) <= most) return question;
  if (std::ssize(tokenizer_.encode(question, context, {}).ids) <= options_.max_length) return question;
  return first_code_points(question, tokens[static_cast<size_t>(most) - 1].second);
}

std::vector<TaskExample> ExampleEncoder::question(std::string_view question, std::string_view context) const {
  EncodeOptions options = options_;
  options.truncation = Truncation::kOnlySecond;
  const std::string_view kept = shortened(question, context);
  std::vector<TaskExample> examples;
  for (const Encoding& window : windows_of(tokenizer_.encode(kept, context, options))) {
    TaskExample& example = examples.emplace_back();
    example.sequences.push_back(sequence(window));
    // The context is behind the question's end: RoBERTa gives both one type.
    const int32_t separator = tokenizer_.specials().sep;
    const auto end_of_question = std::ranges::find(window.ids, separator) - window.ids.begin();
    example.offsets.resize(window.ids.size());
    for (size_t row = static_cast<size_t>(end_of_question) + 1; row < window.ids.size(); ++row) {
      example.offsets[row] = {static_cast<int32_t>(window.offsets[row].first),
                              static_cast<int32_t>(window.offsets[row].second)};
    }
  }
  examples.front().is_cut = kept.size() < question.size();
  return examples;
}

void set_answer(TaskExample& window, CodePoints answer) {
  window.start = window.end = 0;
  int32_t start = -1, end = -1;
  CodePoints covered = {-1, -1};
  for (int32_t row = 0; row < std::ssize(window.offsets); ++row) {
    const CodePoints token = window.offsets[static_cast<size_t>(row)];
    if (token.begin == token.end) continue;
    covered = {covered.begin < 0 ? token.begin : covered.begin, token.end};
    if (token.end > answer.begin && start < 0) start = row;
    if (token.begin < answer.end) end = row;
  }
  const bool holds_all = covered.begin <= answer.begin && answer.end <= covered.end;
  if (!holds_all || start < 0 || end < start) return;
  window.start = start;
  window.end = end;
}

}  // namespace bertha
