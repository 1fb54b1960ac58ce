#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace bertha {

enum class Truncation { kLongestFirst, kOnlyFirst, kOnlySecond };

/// How a text, or a pair, is cut to a model's length. `max_length` counts the special tokens; 0 leaves the text whole.
struct EncodeOptions {
  int64_t max_length = 0;
  Truncation truncation = Truncation::kLongestFirst;
  int64_t stride = 0;  // tokens that two consecutive windows share
};

/// [begin, end) in the code points of a text.
using TextRange = std::pair<int64_t, int64_t>;

/// Token ids with what they came from.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;   // 0 first text, 1 second, for a model that tells them apart
  std::vector<TextRange> offsets;  // (0, 0) for added special tokens
  int64_t second_begin = -1;       // the first token of the second text; -1: there is one text
  std::vector<Encoding> overflow;  // the further windows of a truncated text
};

/// A text's tokens without added ones.
struct Tokens {
  std::vector<int32_t> ids;
  std::vector<TextRange> offsets;
};

/// The special tokens that go with one text, or with two.
struct EncodingFrame {
  std::vector<int32_t> before, between, after;
  int32_t pair_type = 0;  // type of the second text and of what is behind it
};

/// The texts in their frame, cut as `options` say. Where both are cut, overflow holds each further window of the first
/// with every window of the second, then the first's own with the second's further, as in Hugging Face tokenizers.
/// Throws ConfigError where max_length or stride leave no room for a token.
Encoding assemble(const Tokens& text, const std::optional<Tokens>& pair, const EncodingFrame& frame,
                  const EncodeOptions& options);

}  // namespace bertha
