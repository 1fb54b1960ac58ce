#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/piece_trie.h"
#include "data/vocabulary.h"
#include "data/word_splitter.h"

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
  std::vector<int32_t> type_ids;  // 0 first text, 1 second
  std::vector<std::pair<int64_t, int64_t>>
      offsets;                     // [begin, end) in Unicode code points; (0, 0) for added special tokens
  std::vector<Encoding> overflow;  // the further windows of a truncated text
};

/// A word of more code points than this becomes [UNK].
inline constexpr int64_t kMaxWordCodePoints = 100;

/// BERT's tokenisation: clean, split at blanks and punctuation, then longest match first. The special tokens are
/// recognised where they are written out in a text. Thread-safe.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) and its published code; Wu et al. 2016 (arXiv:1609.08144) §4.1;
/// details as in Hugging Face tokenizers' BertWordPieceTokenizer.
class WordPiece {
 public:
  /// `lowercase` also strips accents, as the uncased models do.
  WordPiece(Vocabulary vocabulary, bool lowercase);

  /// The tokeniser of a vocabulary file, or of a model directory with its vocab.txt and, where there is one,
  /// tokenizer_config.json, whose do_lower_case holds unless `lowercase` is given; without either it is true.
  /// Throws what Vocabulary::read throws, and MismatchError for settings that are not BERT's.
  static WordPiece read(const std::string& vocabulary_or_model, std::optional<bool> lowercase);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  bool lowercase() const { return casing_ == Casing::kUncased; }

  /// Appends the ids of `text` (UTF-8) without adding special tokens; the fast path of sharding.
  /// Throws DamagedFileError naming the first byte that is not UTF-8.
  void append_ids(std::string_view text, std::vector<int32_t>& ids) const;

  /// `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`, cut as `options` say. Where both texts are cut, overflow
  /// holds each further window of the first with every window of the second, then the first's own with the second's
  /// further. Throws ConfigError where max_length or stride leave no room for a token, DamagedFileError as append_ids
  /// does.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair, const EncodeOptions& options) const;

  /// Text of `ids` with special tokens left out, pieces joined and blanks before punctuation removed.
  /// Throws MismatchError for an id that is not in the vocabulary.
  std::string decode(std::span<const int32_t> ids) const;

 private:
  struct Piece {
    int32_t id;
    size_t end;  // in the word
  };
  struct SpecialToken {
    size_t begin;  // in the text; its size where there is none
    std::string_view name;
    int32_t id;
  };
  struct Tokens {
    std::vector<int32_t> ids;
    std::vector<std::pair<int64_t, int64_t>> offsets;
  };
  struct Segment {  // some of the tokens of a text
    std::span<const int32_t> ids;
    std::span<const std::pair<int64_t, int64_t>> offsets;
  };

  SpecialToken find_special(std::string_view text, size_t from) const;
  void split_word(std::string_view word, int64_t code_points, std::vector<Piece>& pieces) const;
  Tokens tokenize(std::string_view text) const;
  std::vector<Segment> windows(const Tokens& tokens, int64_t length, int64_t stride) const;
  Encoding assemble(const Segment& first, const Segment* second) const;

  Vocabulary vocabulary_;
  Casing casing_;
  PieceTrie trie_;
};

}  // namespace bertha
