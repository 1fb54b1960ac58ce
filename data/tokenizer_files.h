#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bertha {

/// The files that describe a tokenizer in a Hugging Face model directory, read strictly: names twice in an object,
/// bytes that are not UTF-8 and values of another type are errors.

/// tokenizer_config.json as far as a tokenizer depends on it; nothing where there is no such file.
struct TokenizerConfig {
  std::string tokenizer_class;
  std::optional<bool> do_lower_case, strip_accents, tokenize_chinese_chars, add_prefix_space;
  std::optional<bool> mask_takes_blanks;  // `lstrip` of the mask token

  /// Whether the class has no settings of its own, so that a tokenizer.json says all.
  bool is_generic() const;
};

/// Throws DamagedFileError for what is not such a file.
TokenizerConfig read_tokenizer_config(const std::string& path);

/// A token that is found in a text as a whole.
struct AddedToken {
  std::string content;
  std::optional<int64_t> id;
  std::string path;  // of the file that adds it
};

/// What the files of a directory besides its tokenizer.json add to a vocabulary: added_tokens.json,
/// special_tokens_map.json and tokenizer_config.json. Throws DamagedFileError for what is not such a file,
/// MismatchError for tokens that are found in another way.
std::vector<AddedToken> read_added_tokens(const std::string& directory);

/// Byte-level BPE's pairs of tokens that become one, the first to be merged first.
struct MergeList {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string place;         // what names one of them in sentences, up to its number,
  int64_t first_number = 1;  // and the first one's
};

/// The merges.txt: two tokens a line behind a first line that may say `#version`. Throws ConfigError where it cannot be
/// opened, DamagedFileError naming file and line for what is not such a file.
MergeList read_merges(const std::string& path);

/// What a tokenizer.json holds of one of the two kinds.
struct TokenizerFile {
  enum class Kind { kWordPiece, kByteBpe };

  Kind kind = Kind::kWordPiece;
  std::vector<std::string> tokens;  // by id
  bool lowercase = false;           // WordPiece's
  MergeList merges;                 // byte-level BPE's, as all below
  bool add_prefix_space = false;
  bool mask_takes_blanks = false;
};

/// Throws ConfigError where the file cannot be opened, DamagedFileError for what is not such a file, MismatchError
/// where it describes a tokenizer of another kind.
TokenizerFile read_tokenizer_file(const std::string& path);

/// The tokens of a vocab.json, by id. Throws ConfigError and DamagedFileError as above; ids must be 0, 1, ... without a
/// gap, in any order.
std::vector<std::string> read_vocabulary_json(const std::string& path);

/// A vocab.json of these tokens.
std::string vocabulary_json(const std::vector<std::string>& tokens);

}  // namespace bertha
