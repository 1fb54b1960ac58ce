#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bertha {

/// A WordPiece vocabulary: one token a line, the line number its id; continuation pieces start with `##`.
class Vocabulary {
 public:
  /// Throws DamagedFileError naming file and line for a duplicate or empty token or bytes that are not UTF-8, and
  /// MismatchError naming the token where [PAD], [UNK], [CLS], [SEP] or [MASK] is missing.
  static Vocabulary read(const std::string& path);
  Vocabulary(std::vector<std::string> tokens, std::string_view origin);

  int32_t size() const;
  const std::string& token(int32_t id) const;
  std::optional<int32_t> find(std::string_view token) const;

  int32_t pad() const;
  int32_t unk() const;
  int32_t cls() const;
  int32_t sep() const;
  int32_t mask() const;
  /// One of the five above.
  bool is_special(int32_t id) const;
  /// A piece that continues a word.
  bool is_continuation(int32_t id) const;

  /// A fingerprint of all tokens in order, stored in shards and checkpoints so that they are only used together.
  uint64_t hash() const;
};

}  // namespace bertha
