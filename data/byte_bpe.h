#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/byte_pair_merges.h"
#include "data/tokenizer.h"
#include "data/tokenizer_files.h"
#include "data/word_cache.h"

namespace bertha {

/// RoBERTa's, in the order of Tokenizer::SpecialIds, and the only one of GPT-2.
inline constexpr std::array<std::string_view, 6> kByteBpeSpecialTokens = {"<pad>", "<unk>",  "<s>",
                                                                          "</s>",  "<mask>", "<|endoftext|>"};
inline constexpr std::string_view kRobertaMask = kByteBpeSpecialTokens[4];

/// RoBERTa's tokenisation: split by GPT-2's pattern, then merge bytes. A vocabulary with RoBERTa's special tokens
/// frames a text as `<s> text </s>` or `<s> text </s></s> pair </s>`, all of one type; one with GPT-2's adds nothing.
/// Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" §2.2, and its published code; Liu
/// et al. 2019 (arXiv:1907.11692) §4.4; details as in Hugging Face tokenizers' ByteLevel and RobertaProcessing.
class ByteBpe final : public Tokenizer {
 public:
  struct Options {
    bool add_prefix_space = false;  // before a text, and before what follows a special token, as before other words
    bool mask_takes_blanks = true;  // those before it
  };

  /// `origin` names the vocabulary in sentences. Throws MismatchError where a special token is missing, or the token of
  /// a byte with no `<unk>` to stand in; DamagedFileError naming its place for a merge that is there twice or of tokens
  /// that are not in the vocabulary.
  ByteBpe(std::vector<std::string> tokens, const MergeList& merges, const Options& options, std::string_view origin);

  int32_t size() const override { return static_cast<int32_t>(tokens_.size()); }
  const std::string& token(int32_t id) const override;
  /// As it is written where its bytes are a part of a character.
  std::string readable(int32_t id) const override;
  std::optional<int32_t> find(std::string_view token) const override;
  SpecialIds specials() const override { return specials_; }
  bool is_continuation(int32_t id) const override;
  bool lowercase() const override { return false; }

  void append_ids(std::string_view text, std::vector<int32_t>& ids) const override;

  /// Offsets leave out a token's blanks, but with add_prefix_space a single one before the first token stays.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair,
                  const EncodeOptions& options) const override;
  /// Bytes that are not UTF-8 become U+FFFD.
  std::string decode(std::span<const int32_t> ids) const override;
  uint64_t hash() const override;
  std::vector<File> files(int64_t max_length) const override;

 private:
  struct SpecialToken {
    size_t begin;  // in the text; its size where there is none
    std::string_view name;
    int32_t id;
  };

  void add_merges(const MergeList& merges);
  SpecialIds find_specials(std::string_view origin) const;
  bool is_roberta() const { return specials_.cls >= 0; }
  SpecialToken find_special(std::string_view text, size_t from) const;
  void split_word(std::string_view word, std::vector<BytePiece>& pieces) const;
  void add_plain(std::string_view text, int64_t position, Tokens& tokens) const;
  void add_token(int32_t id, TextRange range, int64_t blanks_before, int64_t blanks_behind, Tokens& tokens) const;
  Tokens tokenize(std::string_view text) const;
  std::string merges_text() const;

  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views of tokens_
  std::array<int32_t, 256> byte_ids_{};
  std::vector<std::pair<int32_t, int32_t>> merge_list_;
  BytePairMerges merges_;
  Options options_;
  SpecialIds specials_;
  mutable WordCache<BytePiece> cache_;
};

}  // namespace bertha
