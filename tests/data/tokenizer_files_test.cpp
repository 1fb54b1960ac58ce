#include "data/tokenizer_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/vocabulary.h"
#include "tests/data/added_token.h"
#include "tests/data/small_byte_bpe.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using nlohmann::json;

class TokenizerFilesTest : public testing::Test {
 protected:
  std::string write(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    return path_;
  }
  /// What a call says of the file with this content, behind its name.
  template <class E, class Read>
  std::string complaint(Read&& read, const std::string& content) {
    try {
      read(write(content));
    } catch (const E& error) {
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with(path_)) << message;
      return message.substr(std::min(path_.size(), message.size()));
    }
    return "nothing is wrong";
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "file";
};

json wordpiece_file() {
  json file = json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                   "lowercase": false},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {"b": 6, "a": 5}}})");
  file["added_tokens"] = json::array();
  for (size_t id = 0; id < kSpecialTokens.size(); ++id) {
    file["added_tokens"].push_back(added_token(id, kSpecialTokens[id]));
  }
  return file;
}

json byte_bpe_file() {
  return json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<s>", "lstrip": false}, {"id": 3, "content": "<mask>", "lstrip": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
              "vocab": {"<s>": 0, "a": 1, "b": 2}, "merges": ["a b", ["b", "a"]]}})");
}

TEST_F(TokenizerFilesTest, VocabularyJsonIsInTheOrderOfIds) {
  EXPECT_EQ(read_vocabulary_json(write(R"({"b": 1, "\u0120a": 2, "<s>": 0})")),
            (std::vector<std::string>{"<s>", "b", "Ġa"}));
  const auto complaint = [&](const std::string& content) {
    return this->complaint<DamagedFileError>(read_vocabulary_json, content);
  };
  EXPECT_EQ(complaint(R"({"a": 0, "b": 1, "a": 2})"), ": 'a' stands twice");
  EXPECT_EQ(complaint(R"({"a": 0, "b": 0})"), ": tokens 'a' and 'b' both have id 0");
  EXPECT_EQ(complaint(R"({"a": 0, "b": 2})"), ": token 'b' has id 2 (the ids of 2 tokens are 0 to 1, each once)");
  EXPECT_EQ(complaint(R"({"a": -1})"), ": token 'a' has id -1 (the ids of 1 tokens are 0 to 0, each once)");
  EXPECT_EQ(complaint(R"({"a": 99999999999999999999})"),
            ": token 'a' has id 99999999999999999999 (the ids of 1 tokens are 0 to 0, each once)");
  EXPECT_EQ(complaint(R"({"a": "0"})"), ": the id of token 'a' is of type string (expected an integer)");
  EXPECT_EQ(complaint(R"({"a": 1e999})"), ": the id of token 'a' is of type number (expected an integer)");
  EXPECT_EQ(complaint(R"({"": 0})"), ": empty token");
  EXPECT_EQ(complaint(R"({"a": 0)"), ": not JSON at byte 8");
  EXPECT_EQ(complaint(R"(["a"])"), ": not a JSON object");
  EXPECT_EQ(complaint(""), ": not JSON at byte 1");
  EXPECT_EQ(complaint("{\"a\xFF\": 0}"), ": byte 3 (value 255) is not UTF-8");
  EXPECT_EQ(complaint(std::string(100'000, '[')), ": nested deeper than 64 levels");
  EXPECT_THROW(read_vocabulary_json(folder_ / "missing"), ConfigError);
}

TEST_F(TokenizerFilesTest, VocabularyJsonIsReadAgain) {
  const std::vector<std::string> tokens = {"<s>", "\"\\", "Ġé", "漢"};
  EXPECT_EQ(read_vocabulary_json(write(vocabulary_json(tokens))), tokens);
}

TEST_F(TokenizerFilesTest, MergesAreTwoTokensALine) {
  const MergeList merges = read_merges(write("#version: 0.2\na b\r\n# #\nĠ t"));
  EXPECT_EQ(merges.pairs, (std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"#", "#"}, {"Ġ", "t"}}));
  EXPECT_EQ(merges.first_number, 2);
  EXPECT_EQ(read_merges(write("a b\n")).first_number, 1);
  EXPECT_TRUE(read_merges(write("")).pairs.empty());
  const auto complaint = [&](const std::string& content) {
    return this->complaint<DamagedFileError>([](const std::string& path) { read_merges(path); }, content);
  };
  for (const char* line : {"ab", "", "a  b", " a b", "a b ", "a b c", "a ", " b"}) {
    EXPECT_EQ(complaint(std::string("#version: 0.2\na b\n") + line + "\nc d\n"),
              ":3: not two tokens with a blank between them")
        << line;
  }
  EXPECT_EQ(complaint("a b\na\xFF b\n"), ": byte 5 (value 255) is not UTF-8");
  EXPECT_THROW(read_merges(folder_ / "missing"), ConfigError);
}

TEST_F(TokenizerFilesTest, AConfigSaysOnlyWhatItSays) {
  const TokenizerConfig none = read_tokenizer_config(folder_ / "missing");
  EXPECT_EQ(none.tokenizer_class, "");
  EXPECT_FALSE(none.do_lower_case || none.strip_accents || none.tokenize_chinese_chars || none.add_prefix_space);
  const TokenizerConfig config = read_tokenizer_config(write(
      R"({"tokenizer_class": "X", "do_lower_case": false, "strip_accents": null, "mask_token": {"lstrip": false}})"));
  EXPECT_EQ(config.tokenizer_class, "X");
  EXPECT_EQ(config.do_lower_case, false);
  EXPECT_EQ(config.strip_accents, std::nullopt);
  EXPECT_EQ(config.mask_takes_blanks, false);
  EXPECT_EQ(read_tokenizer_config(write(R"({"mask_token": "<mask>"})")).mask_takes_blanks, std::nullopt);
  const auto complaint = [&](const std::string& content) {
    return this->complaint<DamagedFileError>(read_tokenizer_config, content);
  };
  EXPECT_EQ(complaint(R"({"add_prefix_space": 1})"), ": 'add_prefix_space' is 1 (expected true or false)");
  EXPECT_EQ(complaint(R"({"tokenizer_class": ["a"]})"), ": 'tokenizer_class' is of type array (expected a string)");
  EXPECT_EQ(complaint(R"({"mask_token": {"lstrip": "no"}})"),
            ": 'mask_token.lstrip' is of type string (expected true or false)");
}

TEST_F(TokenizerFilesTest, ATokenizerFileOfWordPiece) {
  json content = wordpiece_file();
  const TokenizerFile file = read_tokenizer_file(write(content.dump()));
  EXPECT_EQ(file.kind, TokenizerFile::Kind::kWordPiece);
  EXPECT_EQ(file.tokens, (std::vector<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"}));
  EXPECT_FALSE(file.lowercase);
  content["normalizer"]["lowercase"] = true;
  content["model"].erase("type");
  EXPECT_TRUE(read_tokenizer_file(write(content.dump())).lowercase);
}

TEST_F(TokenizerFilesTest, ATokenizerFileOfByteBpe) {
  json content = byte_bpe_file();
  const TokenizerFile file = read_tokenizer_file(write(content.dump()));
  EXPECT_EQ(file.kind, TokenizerFile::Kind::kByteBpe);
  EXPECT_EQ(file.tokens, (std::vector<std::string>{"<s>", "a", "b", "<mask>"}));
  EXPECT_EQ(file.merges.pairs, (std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"b", "a"}}));
  EXPECT_EQ(file.merges.place, path_ + ": merge ");
  EXPECT_TRUE(file.add_prefix_space);
  EXPECT_TRUE(file.mask_takes_blanks);
  content["added_tokens"][1]["lstrip"] = false;
  content["pre_tokenizer"]["add_prefix_space"] = false;
  const TokenizerFile other = read_tokenizer_file(write(content.dump()));
  EXPECT_FALSE(other.add_prefix_space);
  EXPECT_FALSE(other.mask_takes_blanks);
}

TEST_F(TokenizerFilesTest, RefusesTokenizersOfOtherKinds) {
  const auto complaint = [&](json file, const char* place, const json& value) {
    file[json::json_pointer(place)] = value;
    return this->complaint<MismatchError>(read_tokenizer_file, file.dump());
  };
  const auto wordpiece = [&](const char* place, const json& value) {
    return complaint(wordpiece_file(), place, value);
  };
  const auto byte_bpe = [&](const char* place, const json& value) { return complaint(byte_bpe_file(), place, value); };
  EXPECT_EQ(wordpiece("/model/type", "Unigram"), ": 'model.type' is 'Unigram' (expected WordPiece or BPE)");
  EXPECT_EQ(wordpiece("/model/continuing_subword_prefix", "@@"), ": 'model.continuing_subword_prefix' is not '##'");
  EXPECT_EQ(wordpiece("/model/max_input_chars_per_word", 50), ": 'model.max_input_chars_per_word' is not 100");
  EXPECT_EQ(wordpiece("/normalizer", nullptr), ": 'normalizer' is not a BertNormalizer");
  EXPECT_EQ(wordpiece("/normalizer/type", "NFC"), ": 'normalizer' is not a BertNormalizer");
  EXPECT_EQ(wordpiece("/normalizer/strip_accents", true),
            ": 'normalizer.strip_accents' differs from 'lowercase' (accents are stripped exactly when lowercasing)");
  EXPECT_EQ(wordpiece("/normalizer/handle_chinese_chars", false),
            ": 'normalizer.handle_chinese_chars' is false (CJK ideographs are always split)");
  EXPECT_EQ(wordpiece("/normalizer/clean_text", false),
            ": 'normalizer.clean_text' is false (control characters are always left out)");
  EXPECT_EQ(wordpiece("/pre_tokenizer/type", "Whitespace"), ": 'pre_tokenizer' is not a BertPreTokenizer");
  EXPECT_EQ(wordpiece("/added_tokens/4/content", "[E1]"),
            ": 'added_tokens[4].content' is '[E1]' (no tokens but a model's special ones may be added)");
  EXPECT_EQ(wordpiece("/added_tokens/4/lstrip", true),
            ": 'added_tokens[4].lstrip' is true (only <mask> may take the blanks before it)");
  EXPECT_EQ(byte_bpe("/added_tokens/1/rstrip", true),
            ": 'added_tokens[1].rstrip' is true (none may take the blanks behind it)");
  EXPECT_EQ(byte_bpe("/added_tokens/1/single_word", true),
            ": 'added_tokens[1].single_word' is true (all are found within words)");
  EXPECT_EQ(byte_bpe("/model/dropout", 0.1), ": 'model.dropout' is not 0 (all merges that apply are made)");
  EXPECT_EQ(byte_bpe("/model/end_of_word_suffix", "</w>"),
            ": 'model.end_of_word_suffix' is not empty (byte-level BPE has none)");
  EXPECT_EQ(byte_bpe("/model/byte_fallback", true), ": 'model.byte_fallback' is true (merges alone make tokens)");
  EXPECT_EQ(byte_bpe("/normalizer", json::object({{"type", "NFC"}})),
            ": 'normalizer' is there (byte-level BPE keeps text as it is)");
  EXPECT_EQ(byte_bpe("/pre_tokenizer", nullptr), ": 'pre_tokenizer' is not ByteLevel");
  EXPECT_EQ(byte_bpe("/pre_tokenizer/use_regex", false), ": 'pre_tokenizer.use_regex' is false (text is always split)");
}

TEST_F(TokenizerFilesTest, RefusesDamagedTokenizerFiles) {
  const auto complaint = [&](json file, const char* place, const json& value) {
    file[json::json_pointer(place)] = value;
    return this->complaint<DamagedFileError>(read_tokenizer_file, file.dump());
  };
  const auto byte_bpe = [&](const char* place, const json& value) { return complaint(byte_bpe_file(), place, value); };
  EXPECT_EQ(this->complaint<DamagedFileError>(read_tokenizer_file, "{}"), ": 'model' is missing");
  EXPECT_EQ(byte_bpe("/model", 3), ": 'model' is 3 (expected an object)");
  EXPECT_EQ(byte_bpe("/model/vocab", json::array()),
            ": 'model.vocab' is of type array (expected an object of tokens with their ids)");
  EXPECT_EQ(byte_bpe("/model/merges", "a b"), ": 'model.merges' is of type string (expected a list)");
  EXPECT_EQ(byte_bpe("/model/merges/1", "ab"), ": merge 2: not two tokens");
  EXPECT_EQ(byte_bpe("/model/merges/1", json::array({"a"})), ": merge 2: not two tokens");
  EXPECT_EQ(byte_bpe("/model/merges/1", json::array({"a", 1})), ": merge 2: not two tokens");
  EXPECT_EQ(byte_bpe("/added_tokens", "x"), ": 'added_tokens' is of type string (expected a list)");
  EXPECT_EQ(byte_bpe("/added_tokens/0", "x"), ": 'added_tokens' is of type array (expected a list of objects)");
  EXPECT_EQ(byte_bpe("/added_tokens/0/id", 1), ": token '<s>' has the ids 0 and 1");
  EXPECT_EQ(byte_bpe("/added_tokens/0/id", "0"), ": 'added_tokens[0].id' is of type string (expected a token id)");
  EXPECT_EQ(byte_bpe("/added_tokens/1/id", 7), ": token '<mask>' has id 7 (the ids of 4 tokens are 0 to 3, each once)");
  EXPECT_EQ(complaint(wordpiece_file(), "/normalizer/lowercase", "x"),
            ": 'normalizer.lowercase' is of type string (expected true or false)");
}

}  // namespace
}  // namespace bertha
