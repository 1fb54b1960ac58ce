#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bertha {

/// What every vocabulary holds besides its pieces, in the order in which a learnt one starts with them.
inline constexpr std::array<std::string_view, 5> kSpecialTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
/// In front of a piece that continues a word.
inline constexpr std::string_view kContinuationPrefix = "##";

/// A WordPiece vocabulary: one token a line, the line number its id; continuation pieces start with `##`.
class Vocabulary {
 public:
  /// Throws ConfigError for a file that cannot be read, DamagedFileError naming file and line for a duplicate or empty
  /// token or bytes that are not UTF-8, or for more than 64 MiB or 2^22 tokens, and MismatchError naming the token
  /// where [PAD], [UNK], [CLS], [SEP] or [MASK] is missing.
  static Vocabulary read(const std::string& path);
  Vocabulary(std::vector<std::string> tokens, std::string_view origin);

  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  /// Throws MismatchError for an id outside [0, size).
  const std::string& token(int32_t id) const;
  std::optional<int32_t> find(std::string_view token) const;

  int32_t pad() const { return special_ids_[0]; }
  int32_t unk() const { return special_ids_[1]; }
  int32_t cls() const { return special_ids_[2]; }
  int32_t sep() const { return special_ids_[3]; }
  int32_t mask() const { return special_ids_[4]; }
  /// One of the five above.
  bool is_special(int32_t id) const;
  /// A piece that continues a word.
  bool is_continuation(int32_t id) const { return token(id).starts_with(kContinuationPrefix); }

  /// A fingerprint of all tokens in order, stored in shards and checkpoints so that they are only used together.
  uint64_t hash() const;

  /// Writes the file that `read` reads: beside `path`, synced, then renamed into place. Throws Error.
  void write(const std::string& path) const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> ids_;
  std::array<int32_t, kSpecialTokens.size()> special_ids_{};
};

}  // namespace bertha
