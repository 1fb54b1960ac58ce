#include "data/tokenizer_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <unordered_set>

#include "autograd/core/error.h"
#include "data/byte_bpe.h"
#include "data/file.h"
#include "data/lines.h"
#include "data/utf8.h"
#include "data/vocabulary.h"
#include "data/wordpiece.h"

namespace bertha {
namespace {

using nlohmann::json;

constexpr uint64_t kLargestFile = uint64_t{32} << 20;

/// The value in a file, in which no name stands twice in one object.
json parse_strictly(const std::string& text, const std::string& path) {
  std::vector<std::unordered_set<std::string>> names;  // of the objects that are open
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& name = value.get_ref<const std::string&>();
      check<DamagedFileError>(names.back().insert(name).second, path, ": '", name, "' stands twice");
    }
    return true;
  };
  check_utf8(text, path, 0);
  try {
    return json::parse(text, watch);
  } catch (const json::parse_error& error) {
    fail<DamagedFileError>(path, ": not JSON at byte ", error.byte);
  } catch (const json::exception&) {
    fail<DamagedFileError>(path, ": holds a number that is too large");
  }
}

json read_object(const std::string& path) {
  json object = parse_strictly(read_text(path, kLargestFile), path);
  check<DamagedFileError>(object.is_object(), path, ": not a JSON object");
  return object;
}

/// An object of a file that outlives it.
class Object {
 public:
  Object(const json& value, std::string path, std::string name)
      : value_(&value), path_(std::move(path)), name_(std::move(name)) {}

  const std::string& path() const { return path_; }
  /// What there is under a name; null where there is nothing.
  const json& at(const char* key) const {
    static const json null;
    const auto found = value_->find(key);
    return found == value_->end() ? null : *found;
  }
  template <class... Words>
  void expect(bool fits, const char* key, const Words&... expected) const {
    check<DamagedFileError>(fits, path_, ": '", name_, key, "' is ", kind_of(at(key)), " (expected ", expected..., ")");
  }
  std::optional<bool> flag(const char* key) const {
    if (at(key).is_null()) return std::nullopt;
    expect(at(key).is_boolean(), key, "true or false");
    return at(key).get<bool>();
  }
  std::string text(const char* key) const {
    if (at(key).is_null()) return "";
    expect(at(key).is_string(), key, "a string");
    return at(key).get<std::string>();
  }
  /// The object under a name, or nothing.
  std::optional<Object> member(const char* key) const {
    if (at(key).is_null()) return std::nullopt;
    expect(at(key).is_object(), key, "an object");
    return Object(at(key), path_, name_ + key + ".");
  }
  /// The objects of the list under a name.
  std::vector<Object> members(const char* key) const {
    std::vector<Object> result;
    if (at(key).is_null()) return result;
    expect(at(key).is_array(), key, "a list");
    for (const json& element : at(key)) {
      expect(element.is_object(), key, "a list of objects");
      result.emplace_back(element, path_, name_ + key + "[" + std::to_string(result.size()) + "].");
    }
    return result;
  }
  /// The objects under the names of an object, with these names.
  std::vector<std::pair<std::string, Object>> named_members(const char* key) const {
    std::vector<std::pair<std::string, Object>> result;
    if (at(key).is_null()) return result;
    expect(at(key).is_object(), key, "an object");
    for (const auto& [name, element] : at(key).items()) {
      expect(element.is_object(), key, "an object of objects");
      result.emplace_back(name, Object(element, path_, name_ + key + "." + name + "."));
    }
    return result;
  }
  /// Refuses what a tokenizer has that works in another way.
  template <class... Words>
  void require(bool fits, const char* key, const Words&... words) const {
    check<MismatchError>(fits, path_, ": '", name_, key, "' ", words...);
  }

 private:
  static std::string kind_of(const json& value) {
    const bool is_short = value.is_number() || value.is_boolean();
    return is_short ? value.dump() : value.is_null() ? "missing" : std::string("of type ") + value.type_name();
  }

  const json* value_;
  std::string path_, name_;  // of the file; what stands before its members' names
};

std::vector<std::string> tokens_by_id(const json& ids, const std::string& path) {
  std::vector<std::string> tokens(ids.size());
  for (const auto& [token, id] : ids.items()) {
    check<DamagedFileError>(!token.empty(), path, ": empty token");
    check<DamagedFileError>(id.is_number_integer(), path, ": the id of token '", token, "' is of type ", id.type_name(),
                            " (expected an integer)");
    const bool fits = id.is_number_unsigned() && id.get<uint64_t>() < tokens.size();
    check<DamagedFileError>(fits, path, ": token '", token, "' has id ", id.dump(), " (the ids of ", tokens.size(),
                            " tokens are 0 to ", tokens.size() - 1, ", each once)");
    std::string& place = tokens[id.get<size_t>()];
    check<DamagedFileError>(place.empty(), path, ": tokens '", place, "' and '", token, "' both have id ", id.dump());
    place = token;
  }
  return tokens;
}

/// What is in the model's vocabulary and what was added to it.
std::vector<std::string> read_tokens(const Object& file, const Object& model) {
  model.expect(model.at("vocab").is_object(), "vocab", "an object of tokens with their ids");
  json ids = model.at("vocab");
  for (const Object& added : file.members("added_tokens")) {
    const std::string token = added.text("content");
    added.expect(added.at("id").is_number_unsigned(), "id", "a token id");
    const auto [known, is_new] = ids.emplace(token, added.at("id"));
    check<DamagedFileError>(*known == added.at("id"), file.path(), ": token '", token, "' has the ids ", known->dump(),
                            " and ", added.at("id").dump());
  }
  return tokens_by_id(ids, file.path());
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
    added.require(std::ranges::count(special_tokens, token) > 0, "content", "is '", token,
                  "' (no tokens but a model's special ones may be added)");
    mask_takes_blanks |= takes_blanks(added);
  }
  return mask_takes_blanks;
}

/// The tokens under a name: a list, or an object of them by what they are for; each a text or an object that holds it.
void append_special_tokens(const Object& file, const char* key, std::vector<AddedToken>& tokens) {
  for (const json& element : file.at(key)) {
    const bool is_object = element.is_object() && element.contains("content");
    const json& content = is_object ? element["content"] : element;
    file.expect(content.is_string(), key, "tokens");
    tokens.push_back({content.get<std::string>(), std::nullopt, file.path()});
  }
}

int64_t token_id(const std::string& digits, const std::string& path) {
  int64_t id = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool is_whole = error == std::errc() && end == digits.data() + digits.size();
  check<DamagedFileError>(is_whole, path, ": 'added_tokens_decoder' holds '", digits, "' (expected token ids)");
  return id;
}

void read_wordpiece(const Object& file, const Object& model, TokenizerFile& result) {
  model.require(model.text("continuing_subword_prefix") == kContinuationPrefix, "continuing_subword_prefix", "is not '",
                kContinuationPrefix, "'");
  model.require(model.at("max_input_chars_per_word") == kMaxWordCodePoints, "max_input_chars_per_word", "is not ",
                kMaxWordCodePoints);
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

MergeList merges_of(const Object& model) {
  model.expect(model.at("merges").is_array(), "merges", "a list");
  MergeList merges;
  merges.place = model.path() + ": merge ";
  for (const json& merge : model.at("merges")) {  // "a b" in older files, ["a", "b"] in younger ones
    const bool is_pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    const size_t blank = merge.is_string() ? merge.get_ref<const std::string&>().find(' ') : std::string::npos;
    check<DamagedFileError>(is_pair || blank != std::string::npos, merges.place, merges.pairs.size() + 1,
                            ": not two tokens");
    if (is_pair) {
      merges.pairs.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
    } else {
      const auto& line = merge.get_ref<const std::string&>();
      merges.pairs.emplace_back(line.substr(0, blank), line.substr(blank + 1));
    }
  }
  return merges;
}

void read_byte_bpe(const Object& file, const Object& model, TokenizerFile& result) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    model.require(model.text(key).empty(), key, "is not empty (byte-level BPE has none)");
  }
  const json& dropout = model.at("dropout");
  model.require(dropout.is_null() || dropout == 0, "dropout", "is not 0 (all merges that apply are made)");
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

}  // namespace

TokenizerConfig read_tokenizer_config(const std::string& path) {
  TokenizerConfig config;
  if (!std::filesystem::exists(path)) return config;
  const json root = read_object(path);
  const Object file(root, path, "");
  config.tokenizer_class = file.text("tokenizer_class");
  config.do_lower_case = file.flag("do_lower_case");
  config.strip_accents = file.flag("strip_accents");
  config.tokenize_chinese_chars = file.flag("tokenize_chinese_chars");
  config.add_prefix_space = file.flag("add_prefix_space");
  if (file.at("mask_token").is_object()) config.mask_takes_blanks = file.member("mask_token")->flag("lstrip");
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
    if (!std::filesystem::exists(path)) return;
    const json root = read_object(path);
    read(Object(root, path, ""), root);
  };
  const auto read_special = [&](const Object& file, const json&) {
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      append_special_tokens(file, key, tokens);
    }
  };
  in_file("special_tokens_map.json", read_special);
  in_file("tokenizer_config.json", read_special);
  in_file("tokenizer_config.json", [&](const Object& file, const json&) {
    for (const auto& [id, added] : file.named_members("added_tokens_decoder")) {
      takes_blanks(added);
      tokens.push_back({added.text("content"), token_id(id, file.path()), file.path()});
    }
  });
  in_file("added_tokens.json", [&](const Object& file, const json& ids) {
    for (const auto& [token, id] : ids.items()) {
      file.expect(id.is_number_unsigned(), token.c_str(), "a token id");
      tokens.push_back({token, id.get<int64_t>(), file.path()});
    }
  });
  return tokens;
}

MergeList read_merges(const std::string& path) {
  const std::string text = read_text(path, kLargestFile);
  check_utf8(text, path, 0);
  MergeList merges;
  merges.place = path + ":";
  merges.first_number = text.starts_with("#version") ? 2 : 1;
  int64_t number = 0;
  for_each_line(text, [&](std::string_view line) {
    if (++number < merges.first_number) return;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t blank = line.find(' ');
    const bool is_pair = blank != line.npos && blank > 0 && blank + 1 < line.size() && line.rfind(' ') == blank;
    check<DamagedFileError>(is_pair, path, ":", number, ": not two tokens with a blank between them");
    merges.pairs.emplace_back(line.substr(0, blank), line.substr(blank + 1));
  });
  return merges;
}

TokenizerFile read_tokenizer_file(const std::string& path) {
  const json root = read_object(path);
  const Object file(root, path, "");
  const auto model = file.member("model");
  check<DamagedFileError>(model.has_value(), path, ": 'model' is missing");
  std::string type = model->text("type");
  if (type.empty()) type = model->at("merges").is_null() ? "WordPiece" : "BPE";  // files of before 2021 do not say
  model->require(type == "WordPiece" || type == "BPE", "type", "is '", type, "' (expected WordPiece or BPE)");
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
  return tokens_by_id(read_object(path), path);
}

std::string vocabulary_json(const std::vector<std::string>& tokens) {
  std::string text = "{";
  for (size_t id = 0; id < tokens.size(); ++id) {
    text += (id > 0 ? ", " : "") + json(tokens[id]).dump() + ": " + std::to_string(id);
  }
  return text + "}\n";
}

}  // namespace bertha
