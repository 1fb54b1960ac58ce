#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/piece_trie.h"
#include "data/tokenizer.h"
#include "data/vocabulary.h"
#include "data/word_splitter.h"

namespace bertha {

/// A word of more code points than this becomes [UNK].
inline constexpr int64_t kMaxWordCodePoints = 100;

/// BERT's tokenisation: clean, split at blanks and punctuation, then longest match first. The special tokens are
/// recognised where they are written out in a text. Thread-safe.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) and its published code; Wu et al. 2016 (arXiv:1609.08144) §4.1;
/// details as in Hugging Face tokenizers' BertWordPieceTokenizer.
class WordPiece final : public Tokenizer {
 public:
  /// `lowercase` also strips accents, as the uncased models do.
  WordPiece(Vocabulary vocabulary, bool lowercase);

  /// What read_tokenizer finds, where that is one. Throws besides MismatchError where it is of another kind.
  static WordPiece read(const std::string& vocabulary_or_model, std::optional<bool> lowercase);

  const Vocabulary& vocabulary() const { return vocabulary_; }

  int32_t size() const override { return vocabulary_.size(); }
  const std::string& token(int32_t id) const override { return vocabulary_.token(id); }
  std::string readable(int32_t id) const override { return token(id); }
  std::optional<int32_t> find(std::string_view token) const override { return vocabulary_.find(token); }
  SpecialIds specials() const override;
  bool is_continuation(int32_t id) const override { return vocabulary_.is_continuation(id); }
  /// Accents are stripped, too.
  bool lowercase() const override { return casing_ == Casing::kUncased; }

  void append_ids(std::string_view text, std::vector<int32_t>& ids) const override;

  /// `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair,
                  const EncodeOptions& options) const override;

  /// Pieces are joined and blanks before punctuation removed.
  std::string decode(std::span<const int32_t> ids) const override;

  uint64_t hash() const override { return vocabulary_.hash(); }
  std::vector<File> files(int64_t max_length) const override;

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

  SpecialToken find_special(std::string_view text, size_t from) const;
  void split_word(std::string_view word, int64_t code_points, std::vector<Piece>& pieces) const;
  Tokens tokenize(std::string_view text) const;

  Vocabulary vocabulary_;
  Casing casing_;
  PieceTrie trie_;
};

}  // namespace bertha
