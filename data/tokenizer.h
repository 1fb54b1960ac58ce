#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/encoding.h"

namespace bertha {

/// Turns text into the ids that a model reads, and back. Thread-safe.
class Tokenizer {
 public:
  /// -1 where the vocabulary has none.
  struct SpecialIds {
    int32_t pad = -1, unk = -1, cls = -1, sep = -1, mask = -1;
  };
  struct File {
    std::string name, content;
  };

  virtual ~Tokenizer() = default;

  /// Number of tokens; ids are [0, size).
  virtual int32_t size() const = 0;
  /// Throws MismatchError for an id outside [0, size).
  virtual const std::string& token(int32_t id) const = 0;
  /// The token as people read it: a byte-level one in the characters that its bytes are, but for blanks and controls.
  virtual std::string readable(int32_t id) const = 0;
  virtual std::optional<int32_t> find(std::string_view token) const = 0;
  virtual SpecialIds specials() const = 0;
  bool is_special(int32_t id) const;
  /// Whether a token goes on with the word of the one before.
  virtual bool is_continuation(int32_t id) const = 0;
  /// Whether upper and lower case are one.
  virtual bool lowercase() const = 0;

  /// Appends the ids of `text` (UTF-8) without adding special tokens; the fast path of sharding.
  /// Throws DamagedFileError naming the first byte that is not UTF-8.
  virtual void append_ids(std::string_view text, std::vector<int32_t>& ids) const = 0;

  /// The text, or the pair, with the special tokens that the model was trained with, cut as `options` say. Special
  /// tokens that are written out in a text are recognised.
  /// Throws ConfigError where max_length or stride leave no room for a token, DamagedFileError naming the first byte
  /// that is not UTF-8.
  virtual Encoding encode(std::string_view text, std::optional<std::string_view> pair,
                          const EncodeOptions& options) const = 0;

  /// The text of ids, special tokens left out. Throws MismatchError for an id that is not in the vocabulary.
  virtual std::string decode(std::span<const int32_t> ids) const = 0;

  /// A fingerprint of all that is learnt, in order: what is made with one tokenizer is only used with an equal one.
  virtual uint64_t hash() const = 0;

  /// What a model directory holds of it, by name, so that Hugging Face's AutoTokenizer and read_tokenizer find it
  /// again. `max_length` is the model's, in tokens.
  virtual std::vector<File> files(int64_t max_length) const = 0;
};

/// The tokenizer of a vocabulary file (a `vocab.txt`; a `vocab.json` with `merges.txt` beside it; a `tokenizer.json`),
/// or of a model directory, as Hugging Face's AutoTokenizer reads it: its tokenizer.json, else its vocabulary, with the
/// settings of tokenizer_config.json. Where there are both vocabularies, the `tokenizer_class` of the latter decides.
/// `lowercase` overrides what a WordPiece model says.
/// Throws:  ConfigError naming what was looked for where there is nothing, DamagedFileError for broken files,
///          MismatchError for a tokenizer of another kind, added tokens that are not special, and files that
///          contradict each other.
std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path, std::optional<bool> lowercase = std::nullopt);

}  // namespace bertha
