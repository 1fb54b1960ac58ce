#include "data/wordpiece_trainer.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "autograd/core/error.h"
#include "data/utf8.h"
#include "data/vocabulary.h"

namespace bertha {
namespace {

constexpr uint64_t kMinPairCount = 2;
constexpr size_t kMinCharacters = 1'000;
constexpr uint64_t kRareCharacterShare = 100'000;

std::vector<std::string_view> split_characters(std::string_view word) {
  std::vector<std::string_view> characters;
  for (size_t at = 0; at < word.size(); at += characters.back().size()) {
    characters.push_back(word.substr(at, static_cast<size_t>(decode_utf8(word.substr(at)).bytes)));
  }
  return characters;
}

using CharacterSet = std::set<std::string_view>;

/// The characters that are worth a piece, by the rule in the header.
CharacterSet frequent_characters(std::span<const CountedWord> words) {
  std::map<std::string_view, uint64_t> counts;
  uint64_t total = 0;
  for (const CountedWord& word : words) {
    for (const std::string_view character : split_characters(word.word)) {
      counts[character] += word.count;
      total += word.count;
    }
  }
  std::vector<std::pair<uint64_t, std::string_view>> rarest_first;
  for (const auto& [character, count] : counts) rarest_first.emplace_back(count, character);
  std::sort(rarest_first.begin(), rarest_first.end());

  uint64_t left_out = 0;
  CharacterSet frequent;
  for (size_t i = 0; i < rarest_first.size(); ++i) {
    left_out += rarest_first[i].first;
    const bool rare = left_out <= total / kRareCharacterShare && rarest_first.size() - i > kMinCharacters;
    if (!rare) frequent.insert(rarest_first[i].second);
  }
  return frequent;
}

using PieceId = int32_t;

struct Pair {
  PieceId left, right;
  auto operator<=>(const Pair&) const = default;
};

struct HashPair {
  size_t operator()(Pair pair) const {
    const auto bits = [](PieceId id) { return static_cast<uint64_t>(id); };
    return (bits(pair.left) << 32 | bits(pair.right)) * 0x9E3779B97F4A7C15 >> 16;
  }
};

/// Byte-pair encoding of whole words. Pieces are numbered in the order in which they enter the vocabulary.
class PairMerger {
 public:
  PairMerger(std::span<const CountedWord> words, int64_t size)
      : size_(static_cast<size_t>(std::max(size, int64_t{0}))) {
    for (const std::string_view token : kSpecialTokens) piece_id(std::string(token));
    add_words(words);
    check<ConfigError>(pieces_.size() <= size_, "vocab: size ", size, " is smaller than the ", kSpecialTokens.size(),
                       " special tokens and ", pieces_.size() - kSpecialTokens.size(), " characters of the text");
  }

  std::vector<std::string> run() {
    while (pieces_.size() < size_ && !candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      const auto use = uses_.find(best.pair);
      if (use == uses_.end()) continue;
      if (use->second.count == best.count) {
        merge(best.pair);
      } else {
        add_candidate(best.pair, use->second.count);
      }
    }
    return std::move(pieces_);
  }

 private:
  struct Word {
    size_t begin, length;  // in symbols_
    uint64_t count;
  };
  struct Use {
    uint64_t count = 0;
    std::vector<uint32_t> words;  // where the pair is, or was
  };
  struct Candidate {
    uint64_t count;  // an upper bound: occurrences may have gone since
    Pair pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  PieceId piece_id(const std::string& piece) {
    const auto [entry, is_new] = ids_.emplace(piece, static_cast<PieceId>(pieces_.size()));
    if (is_new) pieces_.push_back(piece);
    return entry->second;
  }

  static std::string character_piece(std::string_view character, bool begins_word) {
    return (begins_word ? "" : std::string(kContinuationPrefix)).append(character);
  }

  /// The vocabulary's characters, those that begin a word first, and all words as characters.
  void add_words(std::span<const CountedWord> words) {
    const CharacterSet known = frequent_characters(words);
    std::set<std::string_view> beginning, continuing;
    const auto is_known = [&](std::string_view character) { return known.contains(character); };
    std::vector<const CountedWord*> kept;
    for (const CountedWord& word : words) {
      const auto characters = split_characters(word.word);
      if (!std::all_of(characters.begin(), characters.end(), is_known)) continue;
      beginning.insert(characters.front());
      continuing.insert(characters.begin() + 1, characters.end());
      kept.push_back(&word);
    }
    for (const std::string_view character : beginning) piece_id(character_piece(character, true));
    for (const std::string_view character : continuing) piece_id(character_piece(character, false));
    for (const CountedWord* word : kept) add_word(*word);
    for (const auto& [pair, use] : uses_) add_candidate(pair, use.count);
  }

  void add_word(const CountedWord& word) {
    const size_t begin = symbols_.size();
    for (const std::string_view character : split_characters(word.word)) {
      symbols_.push_back(ids_.at(character_piece(character, symbols_.size() == begin)));
    }
    words_.push_back({begin, symbols_.size() - begin, word.count});
    for (size_t i = begin + 1; i < symbols_.size(); ++i) add_use({symbols_[i - 1], symbols_[i]}, words_.size() - 1);
  }

  void add_use(Pair pair, size_t word) {
    Use& use = uses_[pair];
    use.count += words_[word].count;
    if (use.words.empty() || use.words.back() != word) use.words.push_back(static_cast<uint32_t>(word));
  }

  void remove_use(Pair pair, size_t word) { uses_.at(pair).count -= words_[word].count; }

  void add_candidate(Pair pair, uint64_t count) {
    if (count >= kMinPairCount) candidates_.push({count, pair});
  }

  void merge(Pair pair) {
    const std::string right = pieces_[static_cast<size_t>(pair.right)].substr(kContinuationPrefix.size());
    const PieceId piece = piece_id(pieces_[static_cast<size_t>(pair.left)] + right);
    grown_.clear();
    const std::vector<uint32_t> words = std::move(uses_.at(pair).words);
    for (const uint32_t word : words) merge_in_word(word, pair, piece);
    uses_.erase(pair);
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (const Pair grown : grown_) {
      if (const auto use = uses_.find(grown); use != uses_.end()) add_candidate(grown, use->second.count);
    }
  }

  void merge_in_word(size_t index, Pair pair, PieceId piece) {
    Word& word = words_[index];
    const std::span<PieceId> symbols = std::span(symbols_).subspan(word.begin, word.length);
    const auto replace = [&](Pair before, Pair after) {
      remove_use(before, index);
      add_use(after, index);
      grown_.push_back(after);
    };
    size_t to = 0;
    for (size_t from = 0; from < symbols.size();) {
      if (from + 1 == symbols.size() || symbols[from] != pair.left || symbols[from + 1] != pair.right) {
        symbols[to++] = symbols[from++];
        continue;
      }
      from += 2;
      if (to > 0) replace({symbols[to - 1], pair.left}, {symbols[to - 1], piece});
      if (from < symbols.size()) replace({pair.right, symbols[from]}, {piece, symbols[from]});
      symbols[to++] = piece;
    }
    word.length = to;
  }

  size_t size_;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, PieceId> ids_;
  std::vector<PieceId> symbols_;
  std::vector<Word> words_;
  std::unordered_map<Pair, Use, HashPair> uses_;
  std::priority_queue<Candidate> candidates_;
  std::vector<Pair> grown_;  // what the current merge made more frequent
};

}  // namespace

std::vector<std::string> learn_pieces(std::span<const CountedWord> words, int64_t size) {
  check<ConfigError>(!words.empty(), "vocab: the text holds no word");
  return PairMerger(words, size).run();
}

std::vector<std::string> learn_vocabulary(const std::vector<std::string>& files, const VocabularyOptions& options) {
  return learn_pieces(count_words(files, options.count).words, options.size);
}

}  // namespace bertha
