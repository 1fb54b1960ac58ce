#include "data/wordpiece.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/utf8.h"

namespace bertha {
namespace {

/// What a model directory says about casing; true where it says nothing. Only BERT's own settings are supported.
bool read_lowercase(const std::filesystem::path& config_path) {
  if (!std::filesystem::exists(config_path)) return true;
  std::ifstream file(config_path);
  const auto config = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  check<DamagedFileError>(config.is_object(), config_path.string(), ": not a JSON object");
  const auto flag = [&](const char* key, bool otherwise) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) return otherwise;
    check<DamagedFileError>(found->is_boolean(), config_path.string(), ": '", key, "' is ", found->dump(),
                            " (expected true or false)");
    return found->get<bool>();
  };
  const bool lowercase = flag("do_lower_case", true);
  check<MismatchError>(
      flag("strip_accents", lowercase) == lowercase, config_path.string(),
      ": 'strip_accents' differs from 'do_lower_case' (accents are stripped exactly when lowercasing)");
  check<MismatchError>(flag("tokenize_chinese_chars", true), config_path.string(),
                       ": 'tokenize_chinese_chars' is false (CJK ideographs are always split)");
  return lowercase;
}

/// How many tokens of a text, or of each of a pair, are kept.
struct Lengths {
  int64_t first, second;
};

/// The longer text is cut down to the shorter one, then both alike, as Hugging Face tokenizers does.
Lengths longest_first(Lengths have, int64_t room) {
  const bool swapped = have.first > have.second;
  Lengths keep = swapped ? Lengths{have.second, have.first} : have;
  keep.second = keep.first > room ? keep.first : std::max(keep.first, room - keep.first);
  if (keep.first + keep.second > room) keep = {room / 2, room - room / 2};
  return swapped ? Lengths{keep.second, keep.first} : keep;
}

Lengths truncated(Lengths have, bool is_pair, int64_t room, Truncation truncation) {
  const int64_t excess = have.first + have.second - room;
  if (excess <= 0) return have;
  if (truncation == Truncation::kLongestFirst) return is_pair ? longest_first(have, room) : Lengths{room, 0};
  int64_t& cut = truncation == Truncation::kOnlyFirst ? have.first : have.second;
  check<ConfigError>(cut > excess, "tokenize: max_length leaves no room for a token of the ",
                     truncation == Truncation::kOnlyFirst ? "first" : "second", " text: ", excess, " of its ", cut,
                     " tokens would have to go");
  cut -= excess;
  return have;
}

}  // namespace

WordPiece::WordPiece(Vocabulary vocabulary, bool lowercase)
    : vocabulary_(std::move(vocabulary)),
      casing_(lowercase ? Casing::kUncased : Casing::kCased),
      trie_(vocabulary_.tokens()) {}

WordPiece WordPiece::read(const std::string& vocabulary_or_model, std::optional<bool> lowercase) {
  const std::filesystem::path path = vocabulary_or_model;
  if (!std::filesystem::is_directory(path)) return {Vocabulary::read(path), lowercase.value_or(true)};
  const bool configured = read_lowercase(path / "tokenizer_config.json");
  return {Vocabulary::read(path / "vocab.txt"), lowercase.value_or(configured)};
}

WordPiece::SpecialToken WordPiece::find_special(std::string_view text, size_t from) const {
  const std::array ids = {vocabulary_.pad(), vocabulary_.unk(), vocabulary_.cls(), vocabulary_.sep(),
                          vocabulary_.mask()};
  for (size_t at = text.find('[', from); at != std::string_view::npos; at = text.find('[', at + 1)) {
    for (size_t i = 0; i < kSpecialTokens.size(); ++i) {
      if (text.substr(at).starts_with(kSpecialTokens[i])) return {at, kSpecialTokens[i], ids[i]};
    }
  }
  return {text.size(), "", -1};
}

void WordPiece::split_word(std::string_view word, int64_t code_points, std::vector<Piece>& pieces) const {
  pieces.clear();
  if (code_points <= kMaxWordCodePoints) {
    PieceTrie::Match match = trie_.longest_token(word);
    for (size_t at = 0; match.length > 0; match = trie_.longest_continuation(word.substr(at))) {
      at += match.length;
      pieces.push_back({match.id, at});
      if (at == word.size()) return;
    }
  }
  pieces.assign(1, {vocabulary_.unk(), word.size()});
}

void WordPiece::append_ids(std::string_view text, std::vector<int32_t>& ids) const {
  WordSplitter splitter(casing_, Sources::kIgnored);
  std::vector<Piece> pieces;
  for (size_t at = 0; at < text.size();) {
    const SpecialToken special = find_special(text, at);
    const Words& words = splitter.split(text.substr(at, special.begin - at));
    size_t begin = 0;
    for (const auto& [end, code_points] : words.words) {
      split_word(std::string_view(words.bytes).substr(begin, end - begin), code_points, pieces);
      for (const Piece& piece : pieces) ids.push_back(piece.id);
      begin = end;
    }
    if (special.id >= 0) ids.push_back(special.id);
    at = special.begin + special.name.size();
  }
}

WordPiece::Tokens WordPiece::tokenize(std::string_view text) const {
  Tokens tokens;
  WordSplitter splitter(casing_, Sources::kTracked);
  std::vector<Piece> pieces;
  int64_t position = 0;  // in code points, of the byte at `at`
  for (size_t at = 0; at < text.size();) {
    const SpecialToken special = find_special(text, at);
    const std::string_view plain = text.substr(at, special.begin - at);
    const Words& words = splitter.split(plain);
    size_t begin = 0;
    for (const auto& [end, code_points] : words.words) {
      split_word(std::string_view(words.bytes).substr(begin, end - begin), code_points, pieces);
      size_t from = begin;
      for (const Piece& piece : pieces) {
        tokens.ids.push_back(piece.id);
        const size_t to = begin + piece.end;
        tokens.offsets.emplace_back(position + words.sources[from], position + words.sources[to - 1] + 1);
        from = to;
      }
      begin = end;
    }
    position += count_code_points(plain);
    at = special.begin + special.name.size();
    if (special.id < 0) continue;
    const auto length = static_cast<int64_t>(special.name.size());
    tokens.ids.push_back(special.id);
    tokens.offsets.emplace_back(position, position + length);
    position += length;
  }
  return tokens;
}

std::vector<WordPiece::Segment> WordPiece::windows(const Tokens& tokens, int64_t length, int64_t stride) const {
  const auto size = static_cast<int64_t>(tokens.ids.size());
  const auto segment = [&](int64_t begin, int64_t end) {
    const auto from = static_cast<size_t>(begin), count = static_cast<size_t>(end - begin);
    return Segment{std::span(tokens.ids).subspan(from, count), std::span(tokens.offsets).subspan(from, count)};
  };
  if (length >= size) return {segment(0, size)};
  check<ConfigError>(length > 0, "tokenize: max_length leaves no room for a token of a text of ", size, " tokens");
  check<ConfigError>(stride < length, "tokenize: stride ", stride, " must be smaller than the ", length,
                     " tokens of a text that max_length leaves room for");
  std::vector<Segment> result;
  for (int64_t begin = 0;; begin += length - stride) {
    result.push_back(segment(begin, std::min(begin + length, size)));
    if (begin + length >= size) return result;
  }
}

Encoding WordPiece::assemble(const Segment& first, const Segment* second) const {
  Encoding encoding;
  const auto add_special = [&](int32_t id, int32_t type) {
    encoding.ids.push_back(id);
    encoding.type_ids.push_back(type);
    encoding.offsets.emplace_back(0, 0);
  };
  const auto add_segment = [&](const Segment& segment, int32_t type) {
    encoding.ids.insert(encoding.ids.end(), segment.ids.begin(), segment.ids.end());
    encoding.type_ids.resize(encoding.ids.size(), type);
    encoding.offsets.insert(encoding.offsets.end(), segment.offsets.begin(), segment.offsets.end());
    add_special(vocabulary_.sep(), type);
  };
  add_special(vocabulary_.cls(), 0);
  add_segment(first, 0);
  if (second) add_segment(*second, 1);
  return encoding;
}

Encoding WordPiece::encode(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
  const int64_t special = pair ? 3 : 2;
  check<ConfigError>(options.stride >= 0, "tokenize: stride ", options.stride, " is negative");
  check<ConfigError>(options.max_length == 0 || options.max_length >= special, "tokenize: max_length ",
                     options.max_length, " leaves no room for the ", special, " special tokens");
  const Tokens first = tokenize(text);
  const Tokens second = pair ? tokenize(*pair) : Tokens{};
  Lengths keep{static_cast<int64_t>(first.ids.size()), static_cast<int64_t>(second.ids.size())};
  if (options.max_length > 0) {
    keep = truncated(keep, pair.has_value(), options.max_length - special, options.truncation);
  }
  const std::vector<Segment> firsts = windows(first, keep.first, options.stride);
  const std::vector<Segment> seconds = windows(second, keep.second, options.stride);
  const auto assembled = [&](size_t i, size_t j) { return assemble(firsts[i], pair ? &seconds[j] : nullptr); };

  Encoding result = assembled(0, 0);
  for (size_t i = 1; i < firsts.size(); ++i) {
    for (size_t j = 0; j < seconds.size(); ++j) result.overflow.push_back(assembled(i, j));
  }
  for (size_t j = 1; j < seconds.size(); ++j) result.overflow.push_back(assembled(0, j));
  return result;
}

std::string WordPiece::decode(std::span<const int32_t> ids) const {
  constexpr std::array<std::string_view, 9> kJoinedToWordBefore = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};
  std::string text;
  bool first = true;
  for (const int32_t id : ids) {
    std::string_view token = vocabulary_.token(id);
    if (vocabulary_.is_special(id)) continue;
    const bool joined = std::any_of(kJoinedToWordBefore.begin(), kJoinedToWordBefore.end(),
                                    [&](std::string_view start) { return token.starts_with(start); });
    if (!first && vocabulary_.is_continuation(id)) {
      token.remove_prefix(kContinuationPrefix.size());
    } else if (!first && !joined) {
      text.push_back(' ');
    }
    text.append(token);
    first = false;
  }
  return text;
}

}  // namespace bertha
