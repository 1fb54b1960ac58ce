#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tasks/example.h"
#include "data/tokenizer.h"

namespace bertha {

/// Turns texts into examples without labels. Thread-safe.
class ExampleEncoder {
 public:
  /// `tokenizer` must outlive the encoder. `sequence_length` in tokens, special ones included; `stride`: tokens that
  /// two windows of a long context share. What they leave no room for throws ConfigError where it is encoded.
  ExampleEncoder(const Tokenizer& tokenizer, int64_t sequence_length, int64_t stride);

  /// A text, or a pair, the longer of which is cut.
  TaskExample text(std::string_view text, std::optional<std::string_view> pair) const;

  /// The text with each of the choices.
  TaskExample choices(std::string_view text, std::span<const std::string> choices) const;

  /// A sentence of words, with `rows` at the first piece of each; in several windows where it is long, so that no word
  /// is lost. A word without any piece, such as a control character, has no row.
  std::vector<TaskExample> words(std::span<const std::string> words) const;

  /// A question with the windows of a context, with `offsets`. Where both do not fit, a question is cut to half of what
  /// `stride` leaves, so that windows move on by at least as much.
  std::vector<TaskExample> question(std::string_view question, std::string_view context) const;

 private:
  TaskSequence sequence(const Encoding& encoding) const;
  std::string_view shortened(std::string_view question, std::string_view context) const;

  const Tokenizer& tokenizer_;
  EncodeOptions options_;
};

/// Sets where in a window of `question` the answer at [begin, end) of the context lies: start and end at its tokens, or
/// both at the first token where the window does not hold all of it.
void set_answer(TaskExample& window, CodePoints answer);

}  // namespace bertha
