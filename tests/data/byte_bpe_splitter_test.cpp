#include "data/byte_bpe_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bertha {
namespace {

using Strings = std::vector<std::string>;

Strings words(std::string_view text) {
  Strings result;
  while (!text.empty()) {
    const std::string_view word = first_word(text);
    if (word.empty()) return {"no word at '" + std::string(text) + "'"};
    result.emplace_back(word);
    text.remove_prefix(word.size());
  }
  return result;
}

TEST(ByteBpeSplitter, AWordHasTheBlankBeforeIt) {
  EXPECT_EQ(words("Two words, 2nd."), (Strings{"Two", " words", ",", " 2", "nd", "."}));
  EXPECT_EQ(words(" (a) ±½²Ⅷ"), (Strings{" (", "a", ")", " ±", "½²Ⅷ"}));
  EXPECT_TRUE(words("").empty());
}

TEST(ByteBpeSplitter, ContractionsComeFirst) {
  EXPECT_EQ(words("it's we'll I'd you've we're I'm don't"),
            (Strings{"it", "'s", " we", "'ll", " I", "'d", " you", "'ve", " we", "'re", " I", "'m", " don", "'t"}));
  EXPECT_EQ(words("'sing"), (Strings{"'s", "ing"}));
  EXPECT_EQ(words("IT'S"), (Strings{"IT", "'", "S"})) << "of lower case only";
  EXPECT_EQ(words(" 's"), (Strings{" '", "s"}));
  EXPECT_EQ(words("''s"), (Strings{"''", "s"}));
  EXPECT_EQ(words("!'s"), (Strings{"!'", "s"}));
  EXPECT_EQ(words("'"), (Strings{"'"}));
}

TEST(ByteBpeSplitter, OfSeveralBlanksTheLastGoesOn) {
  EXPECT_EQ(words("a   b"), (Strings{"a", "  ", " b"}));
  EXPECT_EQ(words("a\n\nb"), (Strings{"a", "\n", "\n", "b"})) << "only a blank is part of a word";
  EXPECT_EQ(words("a \tb"), (Strings{"a", " ", "\t", "b"}));
  EXPECT_EQ(words("a\t b"), (Strings{"a", "\t", " b"}));
  EXPECT_EQ(words("a \n "), (Strings{"a", " \n "}));
  EXPECT_EQ(words("\u3000\u00A0b"), (Strings{"\u3000", "\u00A0", "b"}));
  EXPECT_EQ(words(" "), (Strings{" "}));
}

TEST(ByteBpeSplitter, MarksAndControlsAreNeitherLettersNorBlanks) {
  EXPECT_EQ(words("e\u0301a"), (Strings{"e", "\u0301", "a"}));
  EXPECT_EQ(words(std::string("a\0\x1C"
                              "b",
                              4)),
            (Strings{"a", std::string("\0\x1C", 2), "b"}));
  EXPECT_EQ(words("a\u200Bb\u0085c"), (Strings{"a", "\u200B", "b", "\u0085", "c"}));
}

}  // namespace
}  // namespace bertha
