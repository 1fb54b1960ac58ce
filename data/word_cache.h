#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bertha {

/// Remembers the pieces of the words that come first, which in text are the frequent ones. Thread-safe.
template <class Piece>
class WordCache {
 public:
  /// Words of more bytes than `longest` are not kept, nor more than `most`.
  WordCache(size_t most, size_t longest) : most_(most), longest_(longest) {}

  /// Appends a word's pieces; false where they are not known.
  bool append(std::string_view word, std::vector<Piece>& pieces) const {
    if (word.size() > longest_) return false;
    const std::shared_lock lock(mutex_);
    const auto found = words_.find(word);
    if (found == words_.end()) return false;
    pieces.insert(pieces.end(), found->second.begin(), found->second.end());
    return true;
  }

  void keep(std::string_view word, const std::vector<Piece>& pieces) {
    if (word.size() > longest_) return;
    const std::unique_lock lock(mutex_);
    if (words_.size() < most_) words_.emplace(word, pieces);
  }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  size_t most_, longest_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::vector<Piece>, TextHash, std::equal_to<>> words_;
};

}  // namespace bertha
