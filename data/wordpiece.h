#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/vocabulary.h"

namespace bertha {

enum class Truncation { kLongestFirst, kOnlyFirst, kOnlySecond };

/// How a text, or a pair, is cut to a model's length. `max_length` counts the special tokens; 0 leaves the text whole.
struct EncodeOptions {
  int64_t max_length = 0;
  Truncation truncation = Truncation::kLongestFirst;
  int64_t stride = 0;  // tokens that two consecutive windows share
};

/// Token ids with what they came from.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;                    // 0 first text, 1 second
  std::vector<std::pair<int64_t, int64_t>> offsets;  // [begin, end) in Unicode code points; (0, 0) for special tokens
  std::vector<Encoding> overflow;                   // the further windows of a truncated text
};

/// BERT's tokenisation: clean, split at blanks and punctuation, then longest match first.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) and its published code; Wu et al. 2016 (arXiv:1609.08144) §4.1.
class WordPiece {
 public:
  /// `lowercase` also strips accents, as the uncased models do.
  WordPiece(Vocabulary vocabulary, bool lowercase);

  const Vocabulary& vocabulary() const;
  bool lowercase() const;

  /// Appends the ids of `text` (UTF-8) without special tokens; the fast path of sharding.
  void append_ids(std::string_view text, std::vector<int32_t>& ids) const;

  /// `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`, cut as `options` say.
  /// Throws ConfigError where max_length or stride leave no room for a token.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair, const EncodeOptions& options) const;

  /// Text of `ids` with special tokens left out, pieces joined and blanks before punctuation removed.
  std::string decode(const std::vector<int32_t>& ids) const;
};

}  // namespace bertha
