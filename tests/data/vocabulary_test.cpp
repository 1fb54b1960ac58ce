#include "data/vocabulary.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

const std::vector<std::string> kTokens = {"[PAD]", "a", "[UNK]", "[CLS]", "##b", "[SEP]", "[MASK]"};

template <class E>
std::string message_of(std::vector<std::string> tokens) {
  try {
    Vocabulary(std::move(tokens), "v.txt");
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> with(std::vector<std::string> more) {
  std::vector<std::string> tokens = kTokens;
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

TEST(Vocabulary, KnowsTokensIdsAndSpecialOnes) {
  const Vocabulary vocabulary(kTokens, "v.txt");
  EXPECT_EQ(vocabulary.size(), 7);
  EXPECT_EQ(vocabulary.token(4), "##b");
  EXPECT_EQ(vocabulary.find("a"), 1);
  EXPECT_EQ(vocabulary.find("b"), std::nullopt);
  EXPECT_EQ(vocabulary.pad(), 0);
  EXPECT_EQ(vocabulary.unk(), 2);
  EXPECT_EQ(vocabulary.cls(), 3);
  EXPECT_EQ(vocabulary.sep(), 5);
  EXPECT_EQ(vocabulary.mask(), 6);
  EXPECT_TRUE(vocabulary.is_special(6));
  EXPECT_FALSE(vocabulary.is_special(1));
  EXPECT_TRUE(vocabulary.is_continuation(4));
  EXPECT_FALSE(vocabulary.is_continuation(1));
  EXPECT_THROW(vocabulary.token(7), MismatchError);
  EXPECT_THROW(vocabulary.token(-1), MismatchError);
}

TEST(Vocabulary, ErrorsNamePlaceAndToken) {
  EXPECT_EQ(message_of<DamagedFileError>(with({"c", "a"})), "v.txt:9: token 'a' is already on line 2");
  EXPECT_EQ(message_of<DamagedFileError>(with({""})), "v.txt:8: empty token");
  EXPECT_EQ(message_of<DamagedFileError>(with({"\xFF"})), "v.txt:8: not UTF-8");
  EXPECT_EQ(message_of<MismatchError>({"[PAD]", "[UNK]", "[CLS]", "[MASK]"}),
            "v.txt: token '[SEP]' is missing (a BERT vocabulary has it)");
}

TEST(Vocabulary, WritesWhatItReads) {
  const TemporaryDirectory folder;
  const Vocabulary vocabulary(kTokens, "v.txt");
  vocabulary.write(folder / "v.txt");
  EXPECT_EQ(Vocabulary::read(folder / "v.txt").tokens(), kTokens);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "nothing else is left";
  EXPECT_THROW(vocabulary.write(folder / "missing/v.txt"), Error);
}

TEST(Vocabulary, ReadsEitherLineEndAndNoLastOne) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "v.txt", std::ios::binary) << "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]";
  EXPECT_EQ(Vocabulary::read(folder / "v.txt").token(4), "[MASK]");
}

TEST(Vocabulary, UnreadableFiles) {
  const TemporaryDirectory folder;
  EXPECT_THROW(Vocabulary::read(folder / "missing"), ConfigError);
  EXPECT_THROW(Vocabulary::read(folder.path()), ConfigError);
}

TEST(Vocabulary, HashDependsOnEveryTokenAndItsPlace) {
  const uint64_t hash = Vocabulary(with({"c", "d"}), "").hash();
  EXPECT_EQ(Vocabulary(with({"c", "d"}), "elsewhere").hash(), hash);
  EXPECT_NE(Vocabulary(with({"d", "c"}), "").hash(), hash);
  EXPECT_NE(Vocabulary(with({"cd"}), "").hash(), hash);
}

}  // namespace
}  // namespace bertha
