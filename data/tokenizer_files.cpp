#include "data/tokenizer_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "autograd/core/error.h"
#include "data/byte_bpe.h"
#include "data/file.h"
#include "data/json_reader.h"
#include "data/lines.h"
#include "data/shown.h"
#include "data/utf8.h"
#include "data/vocabulary.h"
#include "data/wordpiece.h"

namespace bertha {
namespace {

constexpr uint64_t kLargestFile = uint64_t{32} << 20;
constexpr size_t kMostMembers = 10'000;  // of an object that is no vocabulary, and of a list of added tokens

using Kind = JsonReader::Kind;

/// A value as it is written, of a file that outlives it.
Kind kind_of(std::string_view value) {
  return JsonReader(value, "").kind();
}

std::string read_json(const std::string& path) {
  std::string text = read_text(path, kLargestFile);
  check_json(text, path);
  check<DamagedFileError>(kind_of(text) == Kind::kObject, path, ": not a JSON object");
  return text;
}

/// An object of a file that outlives it.
class Object {
 public:
  Object(std::string_view value, std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {
    JsonReader reader(value, path_);
    reader.object([&](const std::string& key) {
      check<DamagedFileError>(members_.size() < kMostMembers, path_, ": '", name_, "' has more than ", kMostMembers,
                              " members");
      members_.emplace(key, reader.skip());
    });
  }

  const std::string& path() const { return path_; }
  /// What is written under each name.
  const std::map<std::string, std::string_view, std::less<>>& all() const { return members_; }
  /// What is written under a name; null where there is nothing.
  std::string_view at(const char* key) const {
    const auto found = members_.find(key);
    return found == members_.end() ? "null" : found->second;
  }
  bool has(const char* key) const { return kind_of(at(key)) != Kind::kNull; }
  template <class... Words>
  void expect(bool fits, const char* key, const Words&... expected) const {
    check<DamagedFileError>(fits, path_, ": '", name_, key, "' is ", described(at(key)), " (expected ", expected...,
                            ")");
  }
  std::optional<bool> flag(const char* key) const {
    if (!has(key)) return std::nullopt;
    expect(kind_of(at(key)) == Kind::kBoolean, key, "true or false");
    return at(key) == "true";
  }
  std::string text(const char* key) const {
    if (!has(key)) return "";
    expect(kind_of(at(key)) == Kind::kText, key, "a string");
    return JsonReader(at(key), path_).text();
  }
  /// The object under a name, or nothing.
  std::optional<Object> member(const char* key) const {
    if (!has(key)) return std::nullopt;
    expect(kind_of(at(key)) == Kind::kObject, key, "an object");
    return Object(at(key), path_, name_ + key + ".");
  }
  /// The objects of the list under a name.
  std::vector<Object> members(const char* key) const {
    std::vector<Object> result;
    if (!has(key)) return result;
    expect(kind_of(at(key)) == Kind::kArray, key, "a list");
    JsonReader reader(at(key), path_);
    reader.array([&] {
      expect(reader.kind() == Kind::kObject, key, "a list of objects");
      check<DamagedFileError>(result.size() < kMostMembers, path_, ": '", name_, key, "' has more than ", kMostMembers,
                              " elements");
      result.emplace_back(reader.skip(), path_, name_ + key + "[" + std::to_string(result.size()) + "].");
    });
    return result;
  }
  /// The objects under the names of an object, with these names.
  std::vector<std::pair<std::string, Object>> named_members(const char* key) const {
    std::vector<std::pair<std::string, Object>> result;
    const auto object = member(key);
    if (!object) return result;
    for (const auto& [name, element] : object->all()) {
      expect(kind_of(element) == Kind::kObject, key, "an object of objects");
      result.emplace_back(name, Object(element, path_, object->name_ + name + "."));
    }
    return result;
  }
  /// Refuses what a tokenizer has that works in another way.
  template <class... Words>
  void require(bool fits, const char* key, const Words&... words) const {
    check<MismatchError>(fits, path_, ": '", name_, key, "' ", words...);
  }

 private:
  static std::string described(std::string_view value) {
    constexpr size_t kLongest = 32;
    const Kind kind = kind_of(value);
    const bool is_short = (kind == Kind::kNumber || kind == Kind::kBoolean) && value.size() <= kLongest;
    if (is_short) return std::string(value);
    return kind == Kind::kNull ? "missing" : std::string("of type ").append(json_type_name(value));
  }

  std::string path_, name_;  // of the file; what stands before its members' names
  std::map<std::string, std::string_view, std::less<>> members_;
};

/// Tokens with their ids, as they are written: what is refused is refused before any token is kept.
class WrittenVocabulary {
 public:
  /// `tokens` is an object, `added` what was added to it, of a file that outlives this.
  WrittenVocabulary(std::string_view tokens, std::map<std::string, std::string_view> added, const std::string& path)
      : written_(tokens), new_(std::move(added)), path_(path) {}

  /// By id.
  std::vector<std::string> tokens() {
    find_new();
    const size_t size = check_ids();
    std::vector<std::string> tokens(size);
    for_each([&](const std::string& token, std::string_view id) { tokens[index_of(id, size)] = token; });
    return tokens;
  }

 private:
  template <class F>
  void for_each(F&& f) const {
    JsonReader reader(written_, path_);
    reader.object([&](const std::string& token) { f(token, reader.skip()); });
    for (const auto& [token, id] : new_) f(token, id);
  }

  /// Leaves those of the added ones that are not there already, with the same id.
  void find_new() {
    JsonReader reader(written_, path_);
    reader.object([&](const std::string& token) {
      const std::string_view id = reader.skip();
      const auto again = new_.find(token);
      if (again == new_.end()) return;
      check<DamagedFileError>(again->second == id, path_, ": token ", shown(token), " has the ids ", brief(id), " and ",
                              brief(again->second));
      new_.erase(again);
    });
  }

  /// How many there are.
  size_t check_ids() const {
    size_t size = 0;
    for_each([&](const std::string& token, std::string_view id) {
      check<DamagedFileError>(!token.empty(), path_, ": empty token");
      const bool is_integer = kind_of(id) == Kind::kNumber && id.find_first_of(".eE") == id.npos;
      check<DamagedFileError>(is_integer, path_, ": the id of token ", shown(token), " is of type ", json_type_name(id),
                              " (expected an integer)");
      ++size;
    });
    std::vector<bool> seen(size);
    for_each([&](const std::string& token, std::string_view id) {
      const size_t index = index_of(id, size);
      check<DamagedFileError>(index < size, path_, ": token ", shown(token), " has id ", brief(id), " (the ids of ",
                              size, " tokens are 0 to ", size - 1, ", each once)");
      if (seen[index]) refuse_shared(index, token, size);
      seen[index] = true;
    });
    return size;
  }

  /// `size` where it is not an id.
  static size_t index_of(std::string_view id, size_t size) {
    size_t index = size;
    const auto [stop, error] = std::from_chars(id.data(), id.data() + id.size(), index);
    return error == std::errc() && stop == id.data() + id.size() ? std::min(index, size) : size;
  }

  [[noreturn]] void refuse_shared(size_t index, const std::string& second, size_t size) const {
    std::string first;
    for_each([&](const std::string& token, std::string_view id) {
      if (first.empty() && index_of(id, size) == index) first = token;
    });
    fail<DamagedFileError>(path_, ": tokens ", shown(first), " and ", shown(second), " both have id ", index);
  }

  static std::string_view brief(std::string_view number) {
    constexpr size_t kLongest = 32;
    return number.substr(0, kLongest);
  }

  std::string_view written_;
  std::map<std::string, std::string_view> new_;
  const std::string& path_;
};

/// What is in the model's vocabulary and what was added to it.
std::vector<std::string> read_tokens(const Object& file, const Object& model) {
  model.expect(kind_of(model.at("vocab")) == Kind::kObject, "vocab", "an object of tokens with their ids");
  std::map<std::string, std::string_view> added_ids;
  for (const Object& added : file.members("added_tokens")) {
    const std::string token = added.text("content");
    const std::string_view id = added.at("id");
    added.expect(kind_of(id) == Kind::kNumber && id.find_first_not_of("0123456789") == id.npos, "id", "a token id");
    const auto [known, is_new] = added_ids.emplace(token, id);
    added.expect(known->second == id, "id", known->second, ", as before");
  }
  return WrittenVocabulary(model.at("vocab"), added_ids, file.path()).tokens();
}

/// Tokens are found without their surroundings, of which a mask may take the blanks before it: says whether it does.
bool takes_blanks(const Object& added) {
  const bool before = added.flag("lstrip").value_or(false);
  added.require(!before || added.text("content") == kRobertaMask, "lstrip", "is true (only ", kRobertaMask,
                " may take the blanks before it)");
  added.require(!added.flag("rstrip").value_or(false), "rstrip", "is true (none may take the blanks behind it)");
  added.require(!added.flag("single_word").value_or(false), "single_word", "is true (all are found within words)");
  return before;
}

/// What is added may only be special tokens, for no others are found in a text. Says whether the mask takes blanks.
bool check_added_tokens(const Object& file, std::span<const std::string_view> special_tokens) {
  bool mask_takes_blanks = false;
  for (const Object& added : file.members("added_tokens")) {
    const std::string token = added.text("content");
    added.require(std::ranges::count(special_tokens, token) > 0, "content", "is ", shown(token),
                  " (no tokens but a model's special ones may be added)");
    mask_takes_blanks |= takes_blanks(added);
  }
  return mask_takes_blanks;
}

/// The tokens under a name: a list, or an object of them by what they are for; each a text or an object that holds it.
void append_special_tokens(const Object& file, const char* key, std::vector<AddedToken>& tokens) {
  if (!file.has(key)) return;
  JsonReader reader(file.at(key), file.path());
  size_t count = 0;
  const auto append = [&] {
    check<DamagedFileError>(++count <= kMostMembers, file.path(), ": '", key, "' has more than ", kMostMembers,
                            " elements");
    std::string_view token = reader.skip();
    if (kind_of(token) == Kind::kObject) token = Object(token, file.path(), key).at("content");
    file.expect(kind_of(token) == Kind::kText, key, "tokens");
    tokens.push_back({JsonReader(token, file.path()).text(), std::nullopt, file.path()});
  };
  const bool is_object = reader.kind() == Kind::kObject;
  file.expect(is_object || reader.kind() == Kind::kArray, key, "a list of tokens");
  if (is_object) {
    reader.object([&](const std::string&) { append(); });
  } else {
    reader.array(append);
  }
}

std::optional<int64_t> token_id(std::string_view digits) {
  int64_t id = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool is_whole = error == std::errc() && end == digits.data() + digits.size() && id >= 0;
  return is_whole ? std::optional(id) : std::nullopt;
}

void read_wordpiece(const Object& file, const Object& model, TokenizerFile& result) {
  model.require(model.text("continuing_subword_prefix") == kContinuationPrefix, "continuing_subword_prefix", "is not '",
                kContinuationPrefix, "'");
  model.require(model.at("max_input_chars_per_word") == std::to_string(kMaxWordCodePoints), "max_input_chars_per_word",
                "is not ", kMaxWordCodePoints);
  const auto normalizer = file.member("normalizer");
  file.require(normalizer && normalizer->text("type") == "BertNormalizer", "normalizer", "is not a BertNormalizer");
  result.lowercase = normalizer->flag("lowercase").value_or(true);
  normalizer->require(normalizer->flag("strip_accents").value_or(result.lowercase) == result.lowercase, "strip_accents",
                      "differs from 'lowercase' (accents are stripped exactly when lowercasing)");
  normalizer->require(normalizer->flag("handle_chinese_chars").value_or(true), "handle_chinese_chars",
                      "is false (CJK ideographs are always split)");
  normalizer->require(normalizer->flag("clean_text").value_or(true), "clean_text",
                      "is false (control characters are always left out)");
  const auto splitter = file.member("pre_tokenizer");
  file.require(splitter && splitter->text("type") == "BertPreTokenizer", "pre_tokenizer", "is not a BertPreTokenizer");
  check_added_tokens(file, kSpecialTokens);
}

/// The two tokens of a merge: "a b" in older files, ["a", "b"] in younger ones; none where it is something else.
std::optional<std::pair<std::string, std::string>> read_merge(JsonReader& reader) {
  if (reader.kind() == Kind::kText) {
    const std::string both = reader.text();
    const size_t blank = both.find(' ');
    if (blank == both.npos) return std::nullopt;
    return std::pair(both.substr(0, blank), both.substr(blank + 1));
  }
  if (reader.kind() != Kind::kArray) {
    reader.skip();
    return std::nullopt;
  }
  std::array<std::string, 2> tokens;
  size_t texts = 0, elements = 0;
  reader.array([&] {
    ++elements;
    if (texts == tokens.size() || reader.kind() != Kind::kText) {
      reader.skip();
    } else {
      tokens[texts++] = reader.text();
    }
  });
  if (texts != tokens.size() || elements != tokens.size()) return std::nullopt;
  return std::pair(std::move(tokens[0]), std::move(tokens[1]));
}

MergeList merges_of(const Object& model) {
  model.expect(kind_of(model.at("merges")) == Kind::kArray, "merges", "a list");
  MergeList merges;
  merges.place = model.path() + ": merge ";
  size_t count = 0;  // they are kept once all of them are merges
  JsonReader first(model.at("merges"), model.path());
  first.array([&] {
    ++count;
    check<DamagedFileError>(read_merge(first).has_value(), merges.place, count, ": not two tokens");
  });
  merges.pairs.reserve(count);
  JsonReader second(model.at("merges"), model.path());
  second.array([&] { merges.pairs.push_back(*read_merge(second)); });
  return merges;
}

bool is_zero(std::string_view number) {
  return number.find_first_not_of("-0.") == number.npos;
}

void read_byte_bpe(const Object& file, const Object& model, TokenizerFile& result) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    model.require(model.text(key).empty(), key, "is not empty (byte-level BPE has none)");
  }
  model.require(!model.has("dropout") || is_zero(model.at("dropout")), "dropout",
                "is not 0 (all merges that apply are made)");
  for (const char* key : {"byte_fallback", "ignore_merges"}) {
    model.require(!model.flag(key).value_or(false), key, "is true (merges alone make tokens)");
  }
  file.require(!file.member("normalizer"), "normalizer", "is there (byte-level BPE keeps text as it is)");
  const auto splitter = file.member("pre_tokenizer");
  file.require(splitter && splitter->text("type") == "ByteLevel", "pre_tokenizer", "is not ByteLevel");
  splitter->require(splitter->flag("use_regex").value_or(true), "use_regex", "is false (text is always split)");
  result.add_prefix_space = splitter->flag("add_prefix_space").value_or(false);
  result.mask_takes_blanks = check_added_tokens(file, kByteBpeSpecialTokens);
  result.merges = merges_of(model);
}

/// The two tokens of a line of merges.txt; none where it is something else.
std::optional<std::pair<std::string_view, std::string_view>> read_merge(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const size_t blank = line.find(' ');
  const bool is_pair = blank != line.npos && blank > 0 && blank + 1 < line.size() && line.rfind(' ') == blank;
  if (!is_pair) return std::nullopt;
  return std::pair(line.substr(0, blank), line.substr(blank + 1));
}

}  // namespace

TokenizerConfig read_tokenizer_config(const std::string& path) {
  TokenizerConfig config;
  if (!path_exists(path)) return config;
  const std::string text = read_json(path);
  const Object file(text, path, "");
  config.tokenizer_class = file.text("tokenizer_class");
  config.do_lower_case = file.flag("do_lower_case");
  config.strip_accents = file.flag("strip_accents");
  config.tokenize_chinese_chars = file.flag("tokenize_chinese_chars");
  config.add_prefix_space = file.flag("add_prefix_space");
  if (kind_of(file.at("mask_token")) == Kind::kObject)
    config.mask_takes_blanks = file.member("mask_token")->flag("lstrip");
  for (const auto& [id, added] : file.named_members("added_tokens_decoder")) {
    if (added.text("content") == kRobertaMask) config.mask_takes_blanks = takes_blanks(added);
  }
  return config;
}

bool TokenizerConfig::is_generic() const {
  return tokenizer_class == "PreTrainedTokenizerFast" || tokenizer_class == "TokenizersBackend";
}

std::vector<AddedToken> read_added_tokens(const std::string& directory) {
  std::vector<AddedToken> tokens;
  const auto in_file = [&](const char* name, auto&& read) {
    const std::string path = directory + "/" + name;
    if (!path_exists(path)) return;
    const std::string text = read_json(path);
    read(Object(text, path, ""));
  };
  const auto read_special = [&](const Object& file) {
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      append_special_tokens(file, key, tokens);
    }
  };
  in_file("special_tokens_map.json", read_special);
  in_file("tokenizer_config.json", read_special);
  in_file("tokenizer_config.json", [&](const Object& file) {
    for (const auto& [id, added] : file.named_members("added_tokens_decoder")) {
      takes_blanks(added);
      check<DamagedFileError>(token_id(id).has_value(), file.path(), ": 'added_tokens_decoder' holds ", shown(id),
                              " (expected token ids)");
      tokens.push_back({added.text("content"), token_id(id), file.path()});
    }
  });
  in_file("added_tokens.json", [&](const Object& file) {
    for (const auto& [token, id] : file.all()) {
      file.expect(token_id(id).has_value(), token.c_str(), "a token id");
      tokens.push_back({token, token_id(id), file.path()});
    }
  });
  return tokens;
}

MergeList read_merges(const std::string& path) {
  const std::string text = read_text(path, kLargestFile);
  check_utf8(text, path, 0);
  MergeList merges;
  merges.place = path + ":";
  std::string_view lines = text;
  if (lines.starts_with("#version")) {
    merges.first_number = 2;
    lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
  }
  int64_t number = merges.first_number;  // they are kept once all of them are merges
  for_each_line(lines, [&](std::string_view line) {
    check<DamagedFileError>(read_merge(line).has_value(), path, ":", number,
                            ": not two tokens with a blank between them");
    ++number;
  });
  merges.pairs.reserve(static_cast<size_t>(number - merges.first_number));
  for_each_line(lines, [&](std::string_view line) {
    const auto [left, right] = *read_merge(line);
    merges.pairs.emplace_back(left, right);
  });
  return merges;
}

TokenizerFile read_tokenizer_file(const std::string& path) {
  const std::string text = read_json(path);
  const Object file(text, path, "");
  const auto model = file.member("model");
  check<DamagedFileError>(model.has_value(), path, ": 'model' is missing");
  std::string type = model->text("type");
  if (type.empty()) type = model->has("merges") ? "BPE" : "WordPiece";  // files of before 2021 do not say
  model->require(type == "WordPiece" || type == "BPE", "type", "is ", shown(type), " (expected WordPiece or BPE)");
  TokenizerFile result;
  result.tokens = read_tokens(file, *model);
  if (type == "WordPiece") {
    result.kind = TokenizerFile::Kind::kWordPiece;
    read_wordpiece(file, *model, result);
  } else {
    result.kind = TokenizerFile::Kind::kByteBpe;
    read_byte_bpe(file, *model, result);
  }
  return result;
}

std::vector<std::string> read_vocabulary_json(const std::string& path) {
  const std::string text = read_json(path);
  return WrittenVocabulary(text, {}, path).tokens();
}

std::string vocabulary_json(const std::vector<std::string>& tokens) {
  std::string text = "{";
  for (size_t id = 0; id < tokens.size(); ++id) {
    text += (id > 0 ? ", " : "") + nlohmann::json(tokens[id]).dump() + ": " + std::to_string(id);
  }
  return text + "}\n";
}

}  // namespace bertha
