#include "data/byte_bpe.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "autograd/core/error.h"
#include "tests/data/small_byte_bpe.h"

namespace bertha {
namespace {

using Strings = std::vector<std::string>;
using Ranges = std::vector<TextRange>;

ByteBpe small(ByteBpe::Options options) {
  return ByteBpe(SmallByteBpe::tokens(), SmallByteBpe::merges(), options, "vocab.json");
}

const ByteBpe& plain() {
  static const ByteBpe bpe = small({});
  return bpe;
}

Strings tokens(const ByteBpe& bpe, std::string_view text) {
  Strings result;
  for (const int32_t id : bpe.encode(text, std::nullopt, {}).ids) result.push_back(bpe.token(id));
  return result;
}

Ranges offsets(const ByteBpe& bpe, std::string_view text) {
  return bpe.encode(text, std::nullopt, {}).offsets;
}

TEST(ByteBpe, MergesBytes) {
  EXPECT_EQ(tokens(plain(), "hello hello"), (Strings{"<s>", "hello", "Ġhello", "</s>"}));
  EXPECT_EQ(tokens(plain(), "help wé"), (Strings{"<s>", "he", "l", "p", "Ġw", "Ã", "©", "</s>"}));
  EXPECT_EQ(tokens(plain(), ""), (Strings{"<s>", "</s>"}));
}

TEST(ByteBpe, PeopleReadCharactersAndMarksForBlanks) {
  Strings vocabulary = SmallByteBpe::tokens();
  vocabulary.push_back("Ã©");
  MergeList merges = SmallByteBpe::merges();
  merges.pairs.emplace_back("Ã", "©");
  const ByteBpe bpe(vocabulary, merges, {}, "vocab.json");
  Strings readable;
  for (const int32_t id : bpe.encode("hello hello\né à", std::nullopt, {}).ids) readable.push_back(bpe.readable(id));
  EXPECT_EQ(readable, (Strings{"<s>", "hello", "Ġhello", "Ċ", "é", "Ġ", "Ã", "ł", "</s>"})) << "à is two tokens";
}

TEST(ByteBpe, FramesAPairInFourSpecialTokensOfOneType) {
  const Encoding encoding = plain().encode("hello", "hello", {});
  const auto hello = plain().find("hello").value();
  const auto [pad, unk, cls, sep, mask] = plain().specials();
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{cls, hello, sep, sep, hello, sep}));
  EXPECT_EQ(encoding.type_ids, std::vector<int32_t>(6, 0));
  EXPECT_EQ(encoding.second_begin, 4);
}

TEST(ByteBpe, OffsetsAreCodePointsWithoutBlanks) {
  EXPECT_EQ(offsets(plain(), "é hello"), (Ranges{{0, 0}, {0, 1}, {0, 1}, {2, 7}, {0, 0}}));
  EXPECT_EQ(offsets(plain(), "😀a"), (Ranges{{0, 0}, {0, 1}, {0, 1}, {0, 1}, {1, 2}, {0, 0}}));
  EXPECT_EQ(offsets(plain(), "a   b"), (Ranges{{0, 0}, {0, 1}, {3, 3}, {4, 4}, {4, 5}, {0, 0}}));
  EXPECT_EQ(offsets(plain(), "a\n"), (Ranges{{0, 0}, {0, 1}, {1, 2}, {0, 0}})) << "only blanks are left out";
}

TEST(ByteBpe, RecognisesSpecialTokensWrittenOut) {
  EXPECT_EQ(tokens(plain(), "a<s>b</s><pad><unk>"),
            (Strings{"<s>", "a", "<s>", "b", "</s>", "<pad>", "<unk>", "</s>"}));
  EXPECT_EQ(tokens(plain(), "<S><"), (Strings{"<s>", "<", "S", ">", "<", "</s>"}));
}

TEST(ByteBpe, AMaskTakesTheBlanksBeforeIt) {
  EXPECT_EQ(tokens(plain(), "a \u3000\n<mask> b"), (Strings{"<s>", "a", "<mask>", "Ġ", "b", "</s>"}));
  EXPECT_EQ(offsets(plain(), "a \u3000\n<mask> b"), (Ranges{{0, 0}, {0, 1}, {4, 10}, {11, 11}, {11, 12}, {0, 0}}));
  EXPECT_EQ(tokens(plain(), "é <mask>"), (Strings{"<s>", "Ã", "©", "<mask>", "</s>"}));
  EXPECT_EQ(tokens(plain(), "<s> <mask>"), (Strings{"<s>", "<s>", "<mask>", "</s>"}));
  EXPECT_EQ(tokens(small({.mask_takes_blanks = false}), "a <mask>"), (Strings{"<s>", "a", "Ġ", "<mask>", "</s>"}));
}

TEST(ByteBpe, APrefixSpaceMakesTheFirstWordLikeOthers) {
  const ByteBpe prefixed = small({.add_prefix_space = true});
  EXPECT_EQ(tokens(prefixed, "hello"), (Strings{"<s>", "Ġhello", "</s>"}));
  EXPECT_EQ(tokens(prefixed, " hello"), (Strings{"<s>", "Ġhello", "</s>"})) << "which has one already";
  EXPECT_EQ(tokens(prefixed, "<s>hello"), (Strings{"<s>", "<s>", "Ġhello", "</s>"}));
  EXPECT_EQ(tokens(prefixed, ""), (Strings{"<s>", "</s>"}));
  EXPECT_EQ(offsets(prefixed, "hello hello"), (Ranges{{0, 0}, {0, 5}, {6, 11}, {0, 0}}));
  EXPECT_EQ(offsets(prefixed, "éa"), (Ranges{{0, 0}, {0, 0}, {0, 1}, {0, 1}, {1, 2}, {0, 0}}));
}

TEST(ByteBpe, Decodes) {
  const auto round_trip = [](const ByteBpe& bpe, std::string_view text) {
    return bpe.decode(bpe.encode(text, std::nullopt, {}).ids);
  };
  for (const char* text : {"", " hello\n  hello 😀", "\u3000é漢", "a\x01z"}) EXPECT_EQ(round_trip(plain(), text), text);
  EXPECT_EQ(round_trip(plain(), "a <mask> b"), "a b") << "special tokens are left out";
  const int32_t half = plain().find("ðŁ").value();
  EXPECT_EQ(plain().decode(std::vector{half, half}), "\uFFFD\uFFFD");
  EXPECT_THROW(plain().decode(std::vector{plain().size()}), MismatchError);
  EXPECT_THROW(plain().decode(std::vector{-1}), MismatchError);
}

TEST(ByteBpe, BytesThatAreNotUtf8AreDamage) {
  EXPECT_THROW(plain().encode("a\xFF", std::nullopt, {}), DamagedFileError);
  EXPECT_THROW(plain().encode("a", "<mask>\xE2\x82", {}), DamagedFileError);
}

TEST(ByteBpe, LongTextsTakeLinearTime) {
  const auto begin = std::chrono::steady_clock::now();
  std::string lls = std::string(size_t{1} << 20, 'l'), blanks(size_t{1} << 20, ' '), marks;
  for (int i = 0; i < 100'000; ++i) marks += " <mask><";
  EXPECT_EQ(plain().encode(lls, std::nullopt, {}).ids.size(), (1u << 19) + 2);
  EXPECT_EQ(plain().encode(blanks + "\n" + blanks + "a", std::nullopt, {}).ids.size(), (1u << 20) + 5);
  EXPECT_EQ(plain().encode(marks, std::nullopt, {}).ids.size(), 200'002u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(ByteBpe, ThreadsShareOne) {
  const ByteBpe bpe = small({});
  const auto expected = plain().encode("hello hello wow hell he", std::nullopt, {}).ids;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        EXPECT_EQ(bpe.encode("hello hello wow hell he", std::nullopt, {}).ids, expected);
        bpe.encode("word" + std::to_string(round), std::nullopt, {});
      }
    });
  }
}

TEST(ByteBpe, AVocabularyOfGpt2FramesNothing) {
  std::vector<std::string> vocabulary = SmallByteBpe::tokens();
  vocabulary.erase(vocabulary.begin(), vocabulary.begin() + 4);
  vocabulary.back() = "<|endoftext|>";
  const ByteBpe bpe(vocabulary, SmallByteBpe::merges(), {}, "vocab.json");
  EXPECT_EQ(tokens(bpe, "hello<|endoftext|> <mask>"),
            (Strings{"hello", "<|endoftext|>", "Ġ", "<", "m", "a", "s", "k", ">"}));
  EXPECT_EQ(bpe.encode("a", "bb", {}).type_ids, (std::vector{0, 1, 1}));
  EXPECT_EQ(bpe.specials().cls, -1);
  EXPECT_TRUE(bpe.is_special(bpe.size() - 1));
  EXPECT_FALSE(bpe.is_special(-1));
}

TEST(ByteBpe, ABytesTokenThatIsMissingBecomesUnk) {
  std::vector<std::string> vocabulary = SmallByteBpe::tokens();
  std::erase(vocabulary, "b");
  EXPECT_EQ(tokens(ByteBpe(vocabulary, SmallByteBpe::merges(), {}, "v"), "abba"),
            (Strings{"<s>", "a", "<unk>", "<unk>", "a", "</s>"}));
}

template <class E>
std::string message_of(const std::vector<std::string>& vocabulary, const MergeList& merges) {
  try {
    ByteBpe(vocabulary, merges, {}, "vocab.json");
  } catch (const E& error) {
    return error.what();
  }
  return "nothing is wrong";
}

TEST(ByteBpe, RefusesWhatDoesNotFitTogether) {
  const auto without = [](const std::string& token) {
    std::vector<std::string> vocabulary = SmallByteBpe::tokens();
    std::erase(vocabulary, token);
    return vocabulary;
  };
  EXPECT_EQ(message_of<MismatchError>(without("<mask>"), {}),
            "vocab.json: token '<mask>' is missing (a RoBERTa vocabulary has it)");
  std::vector<std::string> gpt2 = SmallByteBpe::tokens();
  gpt2.erase(gpt2.begin(), gpt2.begin() + 4);
  EXPECT_EQ(message_of<MismatchError>(gpt2, {}), "vocab.json: token '<pad>' is missing (a RoBERTa vocabulary has it)");
  EXPECT_EQ(message_of<DamagedFileError>(without("hell"), SmallByteBpe::merges()),
            "merges.txt:3: token 'hell' is not in the vocabulary");
  MergeList merges = SmallByteBpe::merges();
  merges.first_number = 2;
  merges.pairs.emplace_back("l", "l");
  EXPECT_EQ(message_of<DamagedFileError>(SmallByteBpe::tokens(), merges), "merges.txt:10: 'l l' is there already");
}

TEST(ByteBpe, TheHashIsOfTokensAndMerges) {
  MergeList swapped = SmallByteBpe::merges();
  std::swap(swapped.pairs[0], swapped.pairs[1]);
  const auto hash = [](const MergeList& merges) { return ByteBpe(SmallByteBpe::tokens(), merges, {}, "v").hash(); };
  EXPECT_EQ(hash(SmallByteBpe::merges()), plain().hash());
  EXPECT_NE(hash(swapped), plain().hash());
  std::vector<std::string> vocabulary = SmallByteBpe::tokens();
  std::swap(vocabulary[4], vocabulary[5]);
  EXPECT_NE(ByteBpe(vocabulary, SmallByteBpe::merges(), {}, "v").hash(), plain().hash());
}

}  // namespace
}  // namespace bertha
