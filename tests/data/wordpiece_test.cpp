#include "data/wordpiece.h"

#include <gtest/gtest.h>

#include <fstream>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using Strings = std::vector<std::string>;
using Offsets = std::vector<std::pair<int64_t, int64_t>>;

const Strings kTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "cafe",
                         "Cafe",  "a",     "##a",   "b",     ".",      "'",  "'s",    "##.",    "漢"};

WordPiece uncased() {
  return WordPiece(Vocabulary(kTokens, "test"), true);
}

Strings tokens(const WordPiece& wordpiece, const Encoding& encoding) {
  Strings result;
  for (const int32_t id : encoding.ids) result.push_back(wordpiece.vocabulary().token(id));
  return result;
}

Strings tokens(std::string_view text) {
  const WordPiece wordpiece = uncased();
  return tokens(wordpiece, wordpiece.encode(text, std::nullopt, {}));
}

TEST(WordPiece, LongestPieceFirst) {
  EXPECT_EQ(tokens("Unaffable."), (Strings{"[CLS]", "un", "##aff", "##able", ".", "[SEP]"}));
  EXPECT_EQ(tokens("unb"), (Strings{"[CLS]", "[UNK]", "[SEP]"}));
}

TEST(WordPiece, AWordOf101CodePointsIsUnknown) {
  EXPECT_EQ(tokens(std::string(100, 'a')).size(), 102u);
  EXPECT_EQ(tokens(std::string(101, 'a')), (Strings{"[CLS]", "[UNK]", "[SEP]"}));
}

TEST(WordPiece, RecognisesSpecialTokensWrittenOut) {
  EXPECT_EQ(tokens("a[MASK]b [SEP]"), (Strings{"[CLS]", "a", "[MASK]", "b", "[SEP]", "[SEP]"}));
  EXPECT_EQ(tokens("[mask]"), (Strings{"[CLS]", "[UNK]", "[UNK]", "[UNK]", "[SEP]"}));
}

TEST(WordPiece, OffsetsCountCodePoints) {
  const Encoding encoding = uncased().encode("漢 CAFÉ[MASK]é.", std::nullopt, {});
  EXPECT_EQ(encoding.offsets, (Offsets{{0, 0}, {0, 1}, {2, 6}, {6, 12}, {12, 13}, {13, 14}, {0, 0}}));
}

TEST(WordPiece, AppendIdsEqualsEncodeWithoutItsEnds) {
  const WordPiece wordpiece = uncased();
  const std::string text = "Café [MASK] 漢b unaffable'S a\u0301a.";
  std::vector<int32_t> ids = {7};
  wordpiece.append_ids(text, ids);
  std::vector<int32_t> expected = wordpiece.encode(text, std::nullopt, {}).ids;
  expected.front() = 7;
  expected.pop_back();
  EXPECT_EQ(ids, expected);
}

TEST(WordPiece, PairsHaveTwoTypes) {
  const Encoding encoding = uncased().encode("a", "b b", {});
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{2, 10, 3, 12, 12, 3}));
  EXPECT_EQ(encoding.type_ids, (std::vector<int32_t>{0, 0, 0, 1, 1, 1}));
}

TEST(WordPiece, WindowsShareStrideTokensAndLoseNone) {
  const Encoding encoding = uncased().encode("a b cafe a b un a", std::nullopt, {.max_length = 5, .stride = 1});
  ASSERT_EQ(encoding.overflow.size(), 2u);
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{2, 10, 12, 8, 3}));
  EXPECT_EQ(encoding.overflow[0].ids, (std::vector<int32_t>{2, 8, 10, 12, 3}));
  EXPECT_EQ(encoding.overflow[1].ids, (std::vector<int32_t>{2, 12, 5, 10, 3}));
  EXPECT_EQ(encoding.overflow[1].offsets.at(1), std::pair(int64_t{11}, int64_t{12}));
}

TEST(WordPiece, LongestFirstEvensAPairOut) {
  const Encoding encoding =
      uncased().encode("a a a a a a", "b b b", {.max_length = 9, .truncation = Truncation::kLongestFirst});
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{2, 10, 10, 10, 3, 12, 12, 12, 3}));
}

TEST(WordPiece, TruncationThatLeavesNoRoomIsAConfigError) {
  const WordPiece wordpiece = uncased();
  const auto encode = [&](std::optional<std::string_view> pair, EncodeOptions options) {
    return wordpiece.encode("a b a b", pair, options);
  };
  EXPECT_THROW(encode(std::nullopt, {.max_length = 1}), ConfigError);
  EXPECT_THROW(encode(std::nullopt, {.max_length = 2}), ConfigError);
  EXPECT_THROW(encode("b", {.max_length = 2}), ConfigError);
  EXPECT_THROW(encode(std::nullopt, {.max_length = 4, .stride = 2}), ConfigError);
  EXPECT_THROW(encode(std::nullopt, {.max_length = 4, .stride = -1}), ConfigError);
  EXPECT_THROW(encode(std::nullopt, {.max_length = 4, .truncation = Truncation::kOnlySecond}), ConfigError);
  EXPECT_THROW(encode("b b", {.max_length = 7, .truncation = Truncation::kOnlySecond}), ConfigError);
  EXPECT_NO_THROW(encode(std::nullopt, {.max_length = 4, .stride = 1}));
  EXPECT_NO_THROW(encode("b b", {.max_length = 8, .truncation = Truncation::kOnlySecond}));
}

TEST(WordPiece, BytesThatAreNotUtf8AreDamage) {
  std::vector<int32_t> ids;
  EXPECT_THROW(uncased().append_ids("a\xFF", ids), DamagedFileError);
  EXPECT_THROW(uncased().encode("a", "[MASK]\xE2\x82", {}), DamagedFileError);
}

TEST(WordPiece, DecodesToText) {
  const WordPiece wordpiece = uncased();
  const auto decode = [&](std::vector<int32_t> ids) { return wordpiece.decode(ids); };
  EXPECT_EQ(decode({2, 5, 6, 7, 13, 3, 0}), "unaffable.");
  EXPECT_EQ(decode({10, 14, 12}), "a ' b");
  EXPECT_EQ(decode({10, 15, 16}), "a's.");
  EXPECT_EQ(decode({7, 10}), "##able a") << "nothing before it to continue";
  EXPECT_EQ(decode({}), "");
  EXPECT_THROW(decode({99}), MismatchError);
}

TEST(WordPiece, AModelDirectorySaysWhetherItLowercases) {
  const TemporaryDirectory folder;
  Vocabulary(kTokens, "test").write(folder / "vocab.txt");
  const auto configure = [&](const std::string& json) { std::ofstream(folder / "tokenizer_config.json") << json; };
  EXPECT_TRUE(WordPiece::read(folder.path(), std::nullopt).lowercase());
  EXPECT_FALSE(WordPiece::read(folder / "vocab.txt", false).lowercase());
  configure(R"({"do_lower_case": false, "strip_accents": null})");
  EXPECT_FALSE(WordPiece::read(folder.path(), std::nullopt).lowercase());
  EXPECT_TRUE(WordPiece::read(folder.path(), true).lowercase());
  configure(R"({"do_lower_case": true, "strip_accents": false})");
  EXPECT_THROW(WordPiece::read(folder.path(), std::nullopt), MismatchError);
  configure(R"({"tokenize_chinese_chars": false})");
  EXPECT_THROW(WordPiece::read(folder.path(), std::nullopt), MismatchError);
  configure(R"({"do_lower_case": "yes"})");
  EXPECT_THROW(WordPiece::read(folder.path(), std::nullopt), DamagedFileError);
  configure("{");
  EXPECT_THROW(WordPiece::read(folder.path(), std::nullopt), DamagedFileError);
}

}  // namespace
}  // namespace bertha
