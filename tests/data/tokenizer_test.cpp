#include "data/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/byte_bpe.h"
#include "data/wordpiece.h"
#include "tests/data/small_byte_bpe.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using nlohmann::json;

const std::vector<std::string> kWordPieceTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "Un"};

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
  json ids_of_tokens;
  for (const std::string& token : kWordPieceTokens) ids_of_tokens[token] = ids_of_tokens.size();
  const json wordpiece = {{"normalizer", {{"type", "BertNormalizer"}, {"lowercase", false}}},
                          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                          {"model",
                           {{"type", "WordPiece"},
                            {"continuing_subword_prefix", "##"},
                            {"max_input_chars_per_word", 100},
                            {"vocab", ids_of_tokens}}}};
  write("tokenizer.json", wordpiece.dump());
  EXPECT_EQ(ids("Un"), (std::vector{2, 6, 3}));
  EXPECT_EQ(read_tokenizer(folder_ / "tokenizer.json", true)->encode("Un", std::nullopt, {}).ids,
            (std::vector{2, 5, 3}));
  EXPECT_FALSE(WordPiece::read(folder_.path(), std::nullopt).lowercase());
  EXPECT_TRUE(WordPiece::read(folder_.path(), true).lowercase());

  json byte_ids;
  for (const std::string& token : SmallByteBpe::tokens()) byte_ids[token] = byte_ids.size();
  const json byte_bpe = {{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}},
                         {"model", {{"type", "BPE"}, {"vocab", byte_ids}, {"merges", SmallByteBpe::merges().pairs}}}};
  write("tokenizer.json", byte_bpe.dump());
  const ByteBpe expected(SmallByteBpe::tokens(), SmallByteBpe::merges(), {.add_prefix_space = true}, "test");
  EXPECT_EQ(read_tokenizer(folder_.path())->hash(), expected.hash());
  EXPECT_EQ(ids("hello"), expected.encode("hello", std::nullopt, {}).ids);
  EXPECT_THROW(WordPiece::read(folder_.path(), std::nullopt), MismatchError);
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

TEST(Tokenizer, SpecialIdsAreSpecial) {
  const WordPiece wordpiece(Vocabulary(kWordPieceTokens, "test"), true);
  for (int32_t id = -1; id < 8; ++id) EXPECT_EQ(wordpiece.is_special(id), id >= 0 && id < 5) << id;
}

}  // namespace
}  // namespace bertha
