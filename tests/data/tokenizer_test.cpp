#include "data/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/byte_bpe.h"
#include "data/wordpiece.h"
#include "tests/data/added_token.h"
#include "tests/data/small_byte_bpe.h"
#include "tests/message_of.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using nlohmann::json;

const std::vector<std::string> kWordPieceTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "Un"};

json wordpiece_file(const std::vector<std::string>& tokens, bool lowercase) {
  json ids_of_tokens;
  for (const std::string& token : tokens) ids_of_tokens[token] = ids_of_tokens.size();
  json file = {{"version", "1.0"},
               {"normalizer", {{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true}}},
               {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
               {"model",
                {{"type", "WordPiece"},
                 {"unk_token", "[UNK]"},
                 {"continuing_subword_prefix", "##"},
                 {"max_input_chars_per_word", 100},
                 {"vocab", ids_of_tokens}}}};
  file["normalizer"].update({{"strip_accents", nullptr}, {"lowercase", lowercase}});
  const auto special = [](const char* token) { return json{{"SpecialToken", {{"id", token}, {"type_id", 0}}}}; };
  const json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const auto id_of = [&](const char* token) {
    return json{{"id", token}, {"ids", {ids_of_tokens[token]}}, {"tokens", {token}}};
  };
  file["post_processor"] = {{"type", "TemplateProcessing"},
                            {"single", {special("[CLS]"), text, special("[SEP]")}},
                            {"pair", {special("[CLS]"), text, special("[SEP]")}},
                            {"special_tokens", {{"[CLS]", id_of("[CLS]")}, {"[SEP]", id_of("[SEP]")}}}};
  file["added_tokens"] = json::array();
  for (const std::string_view token : kSpecialTokens) {
    file["added_tokens"].push_back(added_token(ids_of_tokens[std::string(token)], token));
  }
  return file;
}

json byte_bpe_file(bool add_prefix_space) {
  json ids_of_tokens;
  for (const std::string& token : SmallByteBpe::tokens()) ids_of_tokens[token] = ids_of_tokens.size();
  return {{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}}},
          {"model", {{"type", "BPE"}, {"vocab", ids_of_tokens}, {"merges", SmallByteBpe::merges().pairs}}}};
}

class ReadTokenizerTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  void write_wordpiece() const { Vocabulary(kWordPieceTokens, "test").write(folder_ / "vocab.txt"); }
  void write_byte_bpe() const {
    write("vocab.json", vocabulary_json(SmallByteBpe::tokens()));
    write("merges.txt", SmallByteBpe::merges_text());
  }
  std::vector<int32_t> ids(const std::string& text) const {
    return read_tokenizer(folder_.path())->encode(text, std::nullopt, {}).ids;
  }
  bool reads_byte_bpe() const { return dynamic_cast<const ByteBpe*>(read_tokenizer(folder_.path()).get()) != nullptr; }

  TemporaryDirectory folder_;
};

TEST_F(ReadTokenizerTest, AVocabularyTextIsWordPieces) {
  write_wordpiece();
  EXPECT_EQ(ids("Un"), (std::vector{2, 5, 3}));
  EXPECT_EQ(read_tokenizer(folder_.path(), false)->encode("Un", std::nullopt, {}).ids, (std::vector{2, 6, 3}));
  EXPECT_EQ(read_tokenizer(folder_ / "vocab.txt")->size(), 7);
  write("tokenizer_config.json", R"({"do_lower_case": false})");
  EXPECT_EQ(ids("Un"), (std::vector{2, 6, 3}));
}

TEST_F(ReadTokenizerTest, AVocabularyJsonWithMergesIsByteBpes) {
  write_byte_bpe();
  const ByteBpe expected(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "test");
  const auto hello = expected.encode("hello", std::nullopt, {}).ids;
  EXPECT_EQ(ids("hello"), hello);
  EXPECT_EQ(read_tokenizer(folder_ / "vocab.json")->encode("hello", std::nullopt, {}).ids, hello);
  EXPECT_EQ(read_tokenizer(folder_.path())->hash(), expected.hash());
  write("tokenizer_config.json", R"({"add_prefix_space": true, "mask_token": {"lstrip": false}})");
  EXPECT_EQ(ids("hello"), expected.encode(" hello", std::nullopt, {}).ids);
  EXPECT_EQ(ids("a <mask>").size(), 6u);
}

TEST_F(ReadTokenizerTest, OfBothVocabulariesTheClassTellsWhich) {
  write_wordpiece();
  write_byte_bpe();
  const auto with_class = [&](const std::string& name) {
    write("tokenizer_config.json", json({{"tokenizer_class", name}}).dump());
    return reads_byte_bpe();
  };
  EXPECT_FALSE(with_class("BertTokenizer"));
  EXPECT_FALSE(with_class("DistilBertTokenizerFast"));
  EXPECT_TRUE(with_class("RobertaTokenizer"));
  EXPECT_TRUE(with_class("GPT2TokenizerFast"));
  EXPECT_THROW(with_class("T5Tokenizer"), ConfigError);
  std::filesystem::remove(folder_ / "tokenizer_config.json");
  EXPECT_THROW(reads_byte_bpe(), ConfigError);
}

TEST_F(ReadTokenizerTest, NothingToReadNamesWhatWasLookedFor) {
  write("vocab.json", "{}");  // without merges
  try {
    read_tokenizer(folder_.path());
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.what(), folder_.path() +
                                ": holds no tokenizer (looked for vocab.txt, vocab.json with merges.txt, "
                                "and tokenizer.json)");
  }
  EXPECT_THROW(read_tokenizer(folder_ / "vocab.txt"), ConfigError);
  EXPECT_THROW(read_tokenizer(folder_ / "other.json"), ConfigError);
  EXPECT_THROW(read_tokenizer(folder_ / "tokenizer.json"), ConfigError);
}

TEST_F(ReadTokenizerTest, ATokenizerJsonAloneIsEnough) {
  write("tokenizer.json", wordpiece_file(kWordPieceTokens, true).dump());
  EXPECT_EQ(ids("Un"), (std::vector{2, 5, 3}));
  EXPECT_TRUE(WordPiece::read(folder_.path(), std::nullopt).lowercase());
  EXPECT_FALSE(WordPiece::read(folder_.path(), false).lowercase());
  write("other-tokenizer.json", wordpiece_file(kWordPieceTokens, false).dump());
  EXPECT_EQ(read_tokenizer(folder_ / "other-tokenizer.json")->encode("Un", std::nullopt, {}).ids,
            (std::vector{2, 6, 3}));
  EXPECT_EQ(read_tokenizer(folder_ / "other-tokenizer.json", true)->encode("Un", std::nullopt, {}).ids,
            (std::vector{2, 5, 3}));

  write("tokenizer.json", byte_bpe_file(false).dump());
  const ByteBpe expected(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "test");
  EXPECT_EQ(read_tokenizer(folder_.path())->hash(), expected.hash());
  EXPECT_EQ(ids("hello"), expected.encode("hello", std::nullopt, {}).ids);
  EXPECT_THROW(WordPiece::read(folder_.path(), std::nullopt), MismatchError);
}

TEST_F(ReadTokenizerTest, ATokenizerJsonGoesBeforeTheVocabulary) {
  write_wordpiece();
  std::vector<std::string> others = kWordPieceTokens;
  std::swap(others[5], others[6]);
  write("tokenizer.json", wordpiece_file(others, true).dump());
  EXPECT_EQ(ids("un"), (std::vector{2, 6, 3}));
  write_byte_bpe();
  write("tokenizer_config.json", R"({"add_prefix_space": true, "mask_token": {"lstrip": false}})");
  write("tokenizer.json", byte_bpe_file(false).dump());
  const ByteBpe expected(SmallByteBpe::tokens(), SmallByteBpe::merges(), {true, false}, "test");
  EXPECT_EQ(ids("hello <mask>"), expected.encode("hello <mask>", std::nullopt, {}).ids);
}

TEST_F(ReadTokenizerTest, TheConfigGoesBeforeATokenizerJsonUnlessItsClassIsGeneric) {
  write("tokenizer.json", wordpiece_file(kWordPieceTokens, false).dump());
  const auto with = [&](const std::string& config) {
    write("tokenizer_config.json", config);
    return WordPiece::read(folder_.path(), std::nullopt).lowercase();
  };
  EXPECT_TRUE(with(R"({"do_lower_case": true})"));
  EXPECT_FALSE(with(R"({"do_lower_case": false})"));
  EXPECT_FALSE(with(R"({"tokenizer_class": "PreTrainedTokenizerFast"})"));
  EXPECT_FALSE(with(R"({"tokenizer_class": "TokenizersBackend", "do_lower_case": true})"));
  EXPECT_EQ(message_of<MismatchError>([&] { with(R"({"tokenizer_class": "BertTokenizer"})"); }),
            folder_ / "tokenizer.json" +
                ": says 'do_lower_case' is false, tokenizer_config.json does not, for which Hugging Face takes true "
                "(say there which is meant)");
  EXPECT_TRUE(WordPiece::read(folder_.path(), true).lowercase());
  write("tokenizer.json", byte_bpe_file(true).dump());
  write("tokenizer_config.json", "{}");
  EXPECT_THROW(read_tokenizer(folder_.path()), MismatchError);
  write("tokenizer_config.json", R"({"tokenizer_class": "PreTrainedTokenizerFast"})");
  const ByteBpe expected(SmallByteBpe::tokens(), SmallByteBpe::merges(), {.add_prefix_space = true}, "test");
  EXPECT_EQ(ids("hello"), expected.encode("hello", std::nullopt, {}).ids);
}

TEST_F(ReadTokenizerTest, OnlySpecialTokensMayBeAdded) {
  write_wordpiece();
  const auto refused = [&](const std::string& name, const std::string& content) {
    write(name, content);
    const std::string message = message_of<MismatchError>([&] { read_tokenizer(folder_.path()); });
    write(name, "{}");
    return message.starts_with(folder_ / name + ": ") ? message.substr((folder_ / name + ": ").size()) : message;
  };
  const std::string nothing = "nothing was thrown";
  const auto sentence = [](const std::string& token) {
    return "adds token '" + token + "' (no tokens but the vocabulary's special ones may be added)";
  };
  EXPECT_EQ(refused("added_tokens.json", R"({"[MASK]": 4})"), nothing);
  EXPECT_EQ(refused("added_tokens.json", R"({"<ent>": 7})"), sentence("<ent>"));
  EXPECT_EQ(refused("added_tokens.json", R"({"un": 5})"), sentence("un")) << "it would be found within words";
  EXPECT_EQ(refused("added_tokens.json", R"({"[MASK]": 7})"), sentence("[MASK]")) << "another id";
  const auto decoder = [](const std::string& id, const std::string& rest) {
    return R"({"added_tokens_decoder": {")" + id + R"(": {"content": )" + rest + "}}}";
  };
  EXPECT_EQ(refused("tokenizer_config.json", decoder("4", R"("[MASK]", "special": true)")), nothing);
  EXPECT_EQ(refused("tokenizer_config.json", decoder("7", R"("<ent>")")), sentence("<ent>"));
  EXPECT_NE(refused("tokenizer_config.json", decoder("4", R"("[MASK]", "rstrip": true)")).find("rstrip"),
            std::string::npos);
  EXPECT_EQ(refused("tokenizer_config.json", R"({"extra_special_tokens": {}})"), nothing);
  EXPECT_EQ(refused("tokenizer_config.json", R"({"extra_special_tokens": {"entity": "<ent>"}})"), sentence("<ent>"));
  EXPECT_EQ(refused("tokenizer_config.json", R"({"additional_special_tokens": ["[SEP]", "<ent>"]})"),
            sentence("<ent>"));
  EXPECT_EQ(refused("special_tokens_map.json", R"({"additional_special_tokens": [{"content": "<ent>"}]})"),
            sentence("<ent>"));
  for (const char* bad : {R"({"x": -1})", R"({"x": "7"})", R"(["x"])"}) {
    write("added_tokens.json", bad);
    EXPECT_THROW(read_tokenizer(folder_.path()), DamagedFileError) << bad;
  }
  write("added_tokens.json", "{}");
  for (const char* id : {"", "x", "4x", "99999999999999999999"}) {
    write("tokenizer_config.json", decoder(id, R"("[MASK]")"));
    EXPECT_THROW(read_tokenizer(folder_.path()), DamagedFileError) << id;
  }
}

TEST_F(ReadTokenizerTest, OfAnAddedMaskItIsSaidWhetherItTakesBlanks) {
  write_byte_bpe();
  const std::string mask = std::to_string(SmallByteBpe::tokens().size() - 1);
  const auto length = [&](const std::string& lstrip) {
    write("tokenizer_config.json", R"({"mask_token": "<mask>", "added_tokens_decoder": {")" + mask +
                                       R"(": {"content": "<mask>", "lstrip": )" + lstrip + "}}}");
    return ids("a <mask>").size();
  };
  EXPECT_EQ(length("true"), 4u);
  EXPECT_EQ(length("false"), 5u);
}

// Each of these directories gives the ids that Hugging Face gives.
using ReadTokenizerParity = ReadTokenizerTest;

TEST_F(ReadTokenizerParity, DirectoriesAreReadAsAutoTokenizerReadsThem) {
  if (!python_has("transformers")) GTEST_SKIP() << python() << " has no transformers (BERTHA_PYTHON names another)";
  std::vector<std::string> others = kWordPieceTokens;
  std::swap(others[5], others[6]);
  const std::vector<std::pair<json, json>> cases = {
      {nullptr, nullptr},
      {{{"do_lower_case", false}}, nullptr},
      {{{"tokenizer_class", "BertTokenizer"}}, wordpiece_file(others, true)},
      {{{"tokenizer_class", "BertTokenizer"}, {"do_lower_case", false}}, wordpiece_file(others, true)},
      {{{"do_lower_case", true}}, wordpiece_file(others, false)},
      {{{"tokenizer_class", "PreTrainedTokenizerFast"}}, wordpiece_file(others, false)},
      {{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"do_lower_case", false}}, wordpiece_file(others, true)},
  };
  const std::string text = "Un un Un.";
  std::string command = quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/tokenize_texts.py " + quoted(text);
  std::vector<std::vector<int32_t>> expected;
  for (const auto& [config, whole] : cases) {
    const std::string name = std::to_string(expected.size());
    std::filesystem::create_directory(folder_ / name);
    write(name + "/config.json", R"({"model_type": "bert"})");
    Vocabulary(kWordPieceTokens, "test").write(folder_ / (name + "/vocab.txt"));
    if (!config.is_null()) write(name + "/tokenizer_config.json", config.dump());
    if (!whole.is_null()) write(name + "/tokenizer.json", whole.dump());
    expected.push_back(read_tokenizer(folder_ / name)->encode(text, std::nullopt, {}).ids);
    command += " " + (folder_ / name);
  }
  ASSERT_EQ(std::system((command + " >" + (folder_ / "out") + " 2>/dev/null").c_str()), 0) << command;
  EXPECT_EQ(json::parse(std::ifstream(folder_ / "out")).get<std::vector<std::vector<int32_t>>>(), expected);
}

/// Written to a directory and read from there, a tokenizer is the same.
TEST_F(ReadTokenizerTest, FilesAreReadAgain) {
  const auto expect_same = [&](const Tokenizer& tokenizer) {
    const TemporaryDirectory folder;
    for (const auto& [name, content] : tokenizer.files(512)) std::ofstream(folder / name, std::ios::binary) << content;
    const auto again = read_tokenizer(folder.path());
    EXPECT_EQ(again->hash(), tokenizer.hash());
    const auto [pad, unk, cls, sep, mask] = again->specials();
    EXPECT_EQ(pad, tokenizer.specials().pad);
    EXPECT_EQ(mask, tokenizer.specials().mask);
    for (const char* text : {"Un un", "hello hello", "a <mask>"}) {
      EXPECT_EQ(again->encode(text, text, {}).ids, tokenizer.encode(text, text, {}).ids) << text;
    }
  };
  for (const bool lowercase : {false, true}) expect_same(WordPiece(Vocabulary(kWordPieceTokens, "test"), lowercase));
  for (const bool prefix : {false, true}) {
    for (const bool takes : {false, true}) {
      expect_same(ByteBpe(SmallByteBpe::tokens(), SmallByteBpe::merges(), {prefix, takes}, "test"));
    }
  }
}

/// What sharding makes of a text is what stands between the special tokens.
TEST(Tokenizer, AppendsIdsWithoutAFrame) {
  const WordPiece wordpiece(Vocabulary(kWordPieceTokens, "test"), true);
  const ByteBpe byte_bpe(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "test");
  for (const Tokenizer* tokenizer :
       {static_cast<const Tokenizer*>(&wordpiece), static_cast<const Tokenizer*>(&byte_bpe)}) {
    const std::string text = "Un hello <mask> [MASK]  un";
    std::vector<int32_t> ids = {tokenizer->specials().cls};
    tokenizer->append_ids(text, ids);
    ids.push_back(tokenizer->specials().sep);
    EXPECT_EQ(ids, tokenizer->encode(text, std::nullopt, {}).ids);
    EXPECT_THROW(tokenizer->append_ids("a\xFF", ids), DamagedFileError);
  }
  EXPECT_TRUE(wordpiece.lowercase());
  EXPECT_FALSE(byte_bpe.lowercase());
  EXPECT_TRUE(byte_bpe.is_continuation(*byte_bpe.find("hello")));
  EXPECT_FALSE(byte_bpe.is_continuation(*byte_bpe.find("Ġhello")));
  EXPECT_FALSE(byte_bpe.is_continuation(*byte_bpe.find("<mask>")));
}

TEST(Tokenizer, SpecialIdsAreSpecial) {
  const WordPiece wordpiece(Vocabulary(kWordPieceTokens, "test"), true);
  for (int32_t id = -1; id < 8; ++id) EXPECT_EQ(wordpiece.is_special(id), id >= 0 && id < 5) << id;
}

}  // namespace
}  // namespace bertha
