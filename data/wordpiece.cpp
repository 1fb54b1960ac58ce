#include "data/wordpiece.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/utf8.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

ordered_json special_tokens() {
  return {{"unk_token", "[UNK]"},
          {"sep_token", "[SEP]"},
          {"pad_token", "[PAD]"},
          {"cls_token", "[CLS]"},
          {"mask_token", "[MASK]"}};
}

}  // namespace

WordPiece::WordPiece(Vocabulary vocabulary, bool lowercase)
    : vocabulary_(std::move(vocabulary)),
      casing_(lowercase ? Casing::kUncased : Casing::kCased),
      trie_(vocabulary_.tokens()) {}

WordPiece WordPiece::read(const std::string& vocabulary_or_model, std::optional<bool> lowercase) {
  const auto tokenizer = read_tokenizer(vocabulary_or_model, lowercase);
  auto* wordpiece = dynamic_cast<WordPiece*>(tokenizer.get());
  check<MismatchError>(wordpiece != nullptr, vocabulary_or_model, ": holds another tokenizer (expected WordPiece's)");
  return std::move(*wordpiece);
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

Tokens WordPiece::tokenize(std::string_view text) const {
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

Tokenizer::SpecialIds WordPiece::specials() const {
  return {vocabulary_.pad(), vocabulary_.unk(), vocabulary_.cls(), vocabulary_.sep(), vocabulary_.mask()};
}

Encoding WordPiece::encode(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
  const EncodingFrame frame = {{vocabulary_.cls()}, {vocabulary_.sep()}, {vocabulary_.sep()}, 1};
  return assemble(tokenize(text), pair ? std::optional(tokenize(*pair)) : std::nullopt, frame, options);
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

std::vector<Tokenizer::File> WordPiece::files(int64_t max_length) const {
  ordered_json config = special_tokens();
  config["tokenizer_class"] = "BertTokenizer";
  config["do_lower_case"] = lowercase();
  config["strip_accents"] = nullptr;
  config["tokenize_chinese_chars"] = true;
  config["model_max_length"] = max_length;
  std::string vocabulary;
  for (const std::string& token : vocabulary_.tokens()) vocabulary += token + "\n";
  return {{"special_tokens_map.json", special_tokens().dump(2) + "\n"},
          {"tokenizer_config.json", config.dump(2) + "\n"},
          {"vocab.txt", vocabulary}};
}

}  // namespace bertha
