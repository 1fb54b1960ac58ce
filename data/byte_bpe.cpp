#include "data/byte_bpe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/byte_alphabet.h"
#include "data/byte_bpe_splitter.h"
#include "data/checksum.h"
#include "data/shown.h"
#include "data/unicode.h"
#include "data/utf8.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostCachedWords = size_t{1} << 16;
constexpr size_t kLongestCachedWord = 32;  // bytes
constexpr std::string_view kEndOfText = kByteBpeSpecialTokens[5];

/// Of the blanks that end a text: how many code points they are and where they begin.
struct FinalBlanks {
  int64_t count = 0;
  size_t begin = 0;
};

FinalBlanks final_blanks(std::string_view text) {
  FinalBlanks blanks{0, text.size()};
  while (blanks.begin > 0) {
    size_t at = blanks.begin - 1;
    while (at > 0 && (text[at] & 0xC0) == 0x80) --at;
    if (pattern_class(decode_utf8(text.substr(at)).value) != PatternClass::kBlank) break;
    blanks = {blanks.count + 1, at};
  }
  return blanks;
}

ordered_json special_tokens(bool roberta, const ordered_json& mask) {
  if (!roberta) return {{"bos_token", kEndOfText}, {"eos_token", kEndOfText}, {"unk_token", kEndOfText}};
  return {{"bos_token", "<s>"},   {"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"sep_token", "</s>"},
          {"pad_token", "<pad>"}, {"cls_token", "<s>"},  {"mask_token", mask}};
}

}  // namespace

ByteBpe::ByteBpe(std::vector<std::string> tokens, const MergeList& merges, const Options& options,
                 std::string_view origin)
    : tokens_(std::move(tokens)), options_(options), cache_(kMostCachedWords, kLongestCachedWord) {
  for (const std::string& token : tokens_) ids_.emplace(token, static_cast<int32_t>(ids_.size()));
  specials_ = find_specials(origin);
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const std::string written = written_bytes(std::string(1, static_cast<char>(byte)));
    const int32_t id = find(written).value_or(specials_.unk);
    check<MismatchError>(id >= 0, origin, ": token '", written, "' is missing (of byte ", byte,
                         ", and there is no <unk>)");
    byte_ids_[byte] = id;
  }
  add_merges(merges);
}

void ByteBpe::add_merges(const MergeList& merges) {
  int64_t number = merges.first_number;
  for (const auto& [left, right] : merges.pairs) {
    const auto id_of = [&](const std::string& token) {
      const auto id = find(token);
      check<DamagedFileError>(id.has_value(), merges.place, number, ": token ", shown(token),
                              " is not in the vocabulary");
      return *id;
    };
    const int32_t left_id = id_of(left), right_id = id_of(right);
    check<DamagedFileError>(merges_.add(left_id, right_id, id_of(left + right)), merges.place, number, ": ",
                            shown(left + " " + right), " is there already");
    merge_list_.emplace_back(left_id, right_id);
    ++number;
  }
}

Tokenizer::SpecialIds ByteBpe::find_specials(std::string_view origin) const {
  if (!find("<s>") && find(kEndOfText)) return {.unk = *find(kEndOfText)};
  std::array<int32_t, 5> ids{};
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto id = find(kByteBpeSpecialTokens[i]);
    check<MismatchError>(id.has_value(), origin, ": token '", kByteBpeSpecialTokens[i],
                         "' is missing (a RoBERTa vocabulary has it)");
    ids[i] = *id;
  }
  return {.pad = ids[0], .unk = ids[1], .cls = ids[2], .sep = ids[3], .mask = ids[4]};
}

const std::string& ByteBpe::token(int32_t id) const {
  check<MismatchError>(id >= 0 && id < size(), "vocabulary: id ", id, " is outside its ", size(), " tokens");
  return tokens_[static_cast<size_t>(id)];
}

std::string ByteBpe::readable(int32_t id) const {
  std::string bytes;
  append_read_bytes(token(id), bytes);
  if (is_special(id) || find_invalid_utf8(bytes) != bytes.npos) return token(id);
  std::string text;
  for (const char c : bytes) {
    const bool is_seen = static_cast<unsigned char>(c) > ' ' && c != 0x7F;
    text += is_seen ? std::string(1, c) : written_bytes(std::string(1, c));
  }
  return text;
}

bool ByteBpe::is_continuation(int32_t id) const {
  return !is_special(id) && !token(id).starts_with(written_bytes(" "));
}

void ByteBpe::append_ids(std::string_view text, std::vector<int32_t>& ids) const {
  const Tokens tokens = tokenize(text);
  ids.insert(ids.end(), tokens.ids.begin(), tokens.ids.end());
}

std::optional<int32_t> ByteBpe::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

ByteBpe::SpecialToken ByteBpe::find_special(std::string_view text, size_t from) const {
  for (size_t at = text.find('<', from); at != text.npos; at = text.find('<', at + 1)) {
    for (const std::string_view name : kByteBpeSpecialTokens) {
      if (!text.substr(at).starts_with(name)) continue;
      const auto id = find(name);
      if (id && is_special(*id)) return {at, name, *id};
    }
  }
  return {text.size(), "", -1};
}

void ByteBpe::split_word(std::string_view word, std::vector<BytePiece>& pieces) const {
  pieces.clear();
  if (cache_.append(word, pieces)) return;
  for (const char byte : word) pieces.push_back({byte_ids_[static_cast<unsigned char>(byte)], 1});
  merges_.apply(pieces);
  cache_.keep(word, pieces);
}

void ByteBpe::add_token(int32_t id, TextRange range, int64_t blanks_before, int64_t blanks_behind,
                        Tokens& tokens) const {
  // A blank before the first token may be the prefix.
  const bool at_begin = tokens.ids.empty() || range.first == 0;
  const bool keeps_blank = options_.add_prefix_space && at_begin && blanks_before == 1;
  if (!keeps_blank) range.first = std::min(range.first + blanks_before, range.second);
  if (range.second >= blanks_behind) range.second = std::max(range.second - blanks_behind, range.first);
  tokens.ids.push_back(id);
  tokens.offsets.push_back(range);
}

void ByteBpe::add_plain(std::string_view text, int64_t position, Tokens& tokens) const {
  if (text.empty()) return;
  const bool adds_prefix = options_.add_prefix_space && !text.starts_with(' ');
  const std::string prefixed = adds_prefix ? std::string(" ").append(text) : "";
  if (adds_prefix) text = prefixed;
  int64_t next = position - adds_prefix;  // code point; a prefix belongs to the first
  std::vector<BytePiece> pieces;
  while (!text.empty()) {
    std::string_view word = first_word(text);
    text.remove_prefix(word.size());
    split_word(word, pieces);
    for (const BytePiece& piece : pieces) {
      const std::string_view bytes = word.substr(0, piece.bytes);
      word.remove_prefix(piece.bytes);
      const bool goes_on = (bytes[0] & 0xC0) == 0x80;  // with a character that the piece before began
      const int64_t begin = std::max(position, next - goes_on);
      next += count_code_points(bytes);
      const int64_t end = std::max(position, next - 1) + 1;
      const auto blanks_before = static_cast<int64_t>(std::min(bytes.find_first_not_of(' '), bytes.size()));
      const auto blanks_behind = static_cast<int64_t>(bytes.size() - (bytes.find_last_not_of(' ') + 1));
      add_token(piece.id, {begin, end}, blanks_before, blanks_behind, tokens);
    }
  }
}

Tokens ByteBpe::tokenize(std::string_view text) const {
  check_utf8(text, "text", 0);
  Tokens tokens;
  int64_t position = 0;  // in code points, of the byte at `at`
  for (size_t at = 0; at < text.size();) {
    const SpecialToken special = find_special(text, at);
    std::string_view plain = text.substr(at, special.begin - at);
    int64_t blanks = 0;
    if (options_.mask_takes_blanks && special.name == kRobertaMask) {
      const auto [count, begin] = final_blanks(plain);
      blanks = count;
      plain = plain.substr(0, begin);
    }
    add_plain(plain, position, tokens);
    position += count_code_points(plain);
    at = special.begin + special.name.size();
    if (special.id < 0) continue;
    const int64_t end = position + blanks + std::ssize(special.name);
    add_token(special.id, {position, end}, blanks, 0, tokens);
    position = end;
  }
  return tokens;
}

Encoding ByteBpe::encode(std::string_view text, std::optional<std::string_view> pair,
                         const EncodeOptions& options) const {
  const int32_t cls = specials_.cls, sep = specials_.sep;
  const EncodingFrame frame = is_roberta() ? EncodingFrame{{cls}, {sep, sep}, {sep}, 0} : EncodingFrame{{}, {}, {}, 1};
  return assemble(tokenize(text), pair ? std::optional(tokenize(*pair)) : std::nullopt, frame, options);
}

std::string ByteBpe::decode(std::span<const int32_t> ids) const {
  std::string bytes;
  for (const int32_t id : ids) {
    const std::string& written = token(id);
    if (!is_special(id)) append_read_bytes(written, bytes);
  }
  return repaired_utf8(bytes);
}

std::string ByteBpe::merges_text() const {
  std::string text = "#version: 0.2\n";
  for (const auto& [left, right] : merge_list_) text.append(token(left)).append(" ").append(token(right)).append("\n");
  return text;
}

uint64_t ByteBpe::hash() const {
  std::string all;
  for (const std::string& token : tokens_) all.append(token).push_back('\n');
  all += merges_text();
  return checksum_of(std::as_bytes(std::span(all)));
}

std::vector<Tokenizer::File> ByteBpe::files(int64_t max_length) const {
  ordered_json mask = {{"content", kRobertaMask},
                       {"lstrip", options_.mask_takes_blanks},
                       {"normalized", false},
                       {"rstrip", false},
                       {"single_word", false}};
  const ordered_json map = special_tokens(is_roberta(), mask);
  mask["__type"] = "AddedToken";
  ordered_json config = special_tokens(is_roberta(), mask);
  config["tokenizer_class"] = is_roberta() ? "RobertaTokenizer" : "GPT2Tokenizer";
  config["add_prefix_space"] = options_.add_prefix_space;
  config["model_max_length"] = max_length;
  return {{"merges.txt", merges_text()},
          {"special_tokens_map.json", map.dump(2) + "\n"},
          {"tokenizer_config.json", config.dump(2) + "\n"},
          {"vocab.json", vocabulary_json(tokens_)}};
}

}  // namespace bertha
