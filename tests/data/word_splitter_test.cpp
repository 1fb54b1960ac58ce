#include "data/word_splitter.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"

namespace bertha {
namespace {

using namespace std::string_view_literals;
using Strings = std::vector<std::string>;

Strings split(std::string_view text, Casing casing) {
  WordSplitter splitter(casing, Sources::kIgnored);
  const Words& words = splitter.split(text);
  Strings result;
  size_t begin = 0;
  for (const auto& [end, code_points] : words.words) {
    result.push_back(words.bytes.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_TRUE(words.sources.empty());
  return result;
}

std::vector<int64_t> sources(std::string_view text, Casing casing) {
  WordSplitter splitter(casing, Sources::kTracked);
  const Words& words = splitter.split(text);
  EXPECT_EQ(words.sources.size(), words.bytes.size());
  return words.sources;
}

TEST(WordSplitter, SplitsAtBlanksAndPunctuation) {
  EXPECT_EQ(split("", Casing::kCased), Strings{});
  EXPECT_EQ(split(" \n\t ", Casing::kCased), Strings{});
  EXPECT_EQ(split("It's  3.14,\nok?", Casing::kCased), (Strings{"It", "'", "s", "3", ".", "14", ",", "ok", "?"}));
}

TEST(WordSplitter, UncasedLowercasesAndStripsAccents) {
  EXPECT_EQ(split("Ångström CAFE\u0301 İ", Casing::kUncased), (Strings{"angstrom", "cafe", "i"}));
  EXPECT_EQ(split("Ångström CAFE\u0301", Casing::kCased), (Strings{"Ångström", "CAFE\u0301"}));
}

TEST(WordSplitter, LeavesControlCharactersOut) {
  EXPECT_EQ(split("a\0b\x07\u200Bc\uFFFD"sv, Casing::kCased), Strings{"abc"});
}

TEST(WordSplitter, EveryIdeographIsAWord) {
  EXPECT_EQ(split("x漢字y", Casing::kUncased), (Strings{"x", "漢", "字", "y"}));
}

TEST(WordSplitter, SourcesNameCodePointsOfTheText) {
  EXPECT_EQ(sources("é a", Casing::kCased), (std::vector<int64_t>{0, 0, 2}));
  EXPECT_EQ(sources("É\u200Bab", Casing::kUncased), (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(sources("한", Casing::kUncased), (std::vector<int64_t>(9, 0)));
}

TEST(WordSplitter, MarksTakeCanonicalOrderAndSourcesTextOrder) {
  EXPECT_EQ(split("x\u0301\u302E", Casing::kUncased), Strings{"x\u302E"});
  EXPECT_EQ(sources("x\u0301\u302E", Casing::kUncased), (std::vector<int64_t>{0, 1, 1, 1}));
  EXPECT_EQ(split("\U0001D16D\U00011442", Casing::kUncased), Strings{"\U00011442\U0001D16D"});
  EXPECT_EQ(split("\U0001D15E\U00011442", Casing::kUncased), Strings{"\U0001D157\U00011442\U0001D165"});
  EXPECT_EQ(sources("\U0001D15E\U00011442", Casing::kUncased),
            (std::vector<int64_t>{0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(split("x\u0301\u302E", Casing::kCased), Strings{"x\u0301\u302E"});
}

TEST(WordSplitter, AnObjectCanBeUsedAgain) {
  WordSplitter splitter(Casing::kUncased, Sources::kTracked);
  splitter.split("a\u0301b\u0302");
  EXPECT_EQ(splitter.split("c").bytes, "c");
  EXPECT_EQ(splitter.split("c").sources, std::vector<int64_t>{0});
}

TEST(WordSplitter, NamesABadByte) {
  WordSplitter splitter(Casing::kUncased, Sources::kIgnored);
  try {
    splitter.split("four\xC3");
    FAIL();
  } catch (const DamagedFileError& error) {
    EXPECT_STREQ(error.what(), "text: byte 4 (value 195) is not UTF-8");
  }
}

}  // namespace
}  // namespace bertha
