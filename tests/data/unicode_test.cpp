#include "data/unicode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "autograd/core/error.h"
#include "data/utf8.h"
#include "tests/message_of.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

TEST(Unicode, IdeographsTakeTwoColumnsAndMarksNone) {
  EXPECT_EQ(display_width('a'), 1);
  EXPECT_EQ(display_width(U'é'), 1);
  EXPECT_EQ(display_width(U'河'), 2);
  EXPECT_EQ(display_width(U'\u0301'), 0);
}

TEST(Unicode, ClassesOfAscii) {
  for (const char c : std::string("abcxyzABCXYZ0189")) EXPECT_EQ(character_class(c), CharacterClass::kText) << c;
  for (const char c : std::string(" \t\n\r")) EXPECT_EQ(character_class(c), CharacterClass::kBlank);
  for (const char c : std::string("!#$+<=>@[\\]^_`{|}~\"'")) {
    EXPECT_EQ(character_class(c), CharacterClass::kPunctuation) << c;
  }
  for (const char32_t c : {0, 1, 0x0B, 0x0C, 0x1B, 0x7F}) EXPECT_EQ(character_class(c), CharacterClass::kControl);
}

TEST(Unicode, ClassesBeyondAscii) {
  EXPECT_EQ(character_class(U'é'), CharacterClass::kText);
  EXPECT_EQ(character_class(U'€'), CharacterClass::kText) << "a symbol, but not of ASCII";
  EXPECT_EQ(character_class(U'\u00A0'), CharacterClass::kBlank);
  EXPECT_EQ(character_class(U'\u2028'), CharacterClass::kBlank);
  EXPECT_EQ(character_class(U'\u3000'), CharacterClass::kBlank);
  EXPECT_EQ(character_class(U'\u0085'), CharacterClass::kControl);
  EXPECT_EQ(character_class(U'\u200B'), CharacterClass::kControl);
  EXPECT_EQ(character_class(U'\uFFFD'), CharacterClass::kControl);
  EXPECT_EQ(character_class(U'\u0378'), CharacterClass::kText) << "unassigned";
  EXPECT_EQ(character_class(U'\u0301'), CharacterClass::kMark);
  EXPECT_EQ(character_class(U'“'), CharacterClass::kPunctuation);
  EXPECT_EQ(character_class(U'。'), CharacterClass::kPunctuation);
}

TEST(Unicode, IdeographBlocksEndWhereTheReferenceEndsThem) {
  for (const char32_t first : {0x3400, 0x4E00, 0xF900, 0x20000, 0x2A700, 0x2B740, 0x2B920, 0x2F800}) {
    EXPECT_EQ(character_class(first), CharacterClass::kIdeograph) << std::hex << uint32_t{first};
  }
  for (const char32_t last : {0x4DBF, 0x9FFF, 0xFAFF, 0x2A6DF, 0x2B73F, 0x2B81F, 0x2CEAF, 0x2FA1F}) {
    EXPECT_EQ(character_class(last), CharacterClass::kIdeograph) << std::hex << uint32_t{last};
  }
  for (const char32_t outside : {0x33FF, 0x4DC0, 0x4DFF, 0xA000, 0xF8FF, 0xFB00, 0x2A6E0, 0x2B820, 0x2B91F, 0x2FA20}) {
    EXPECT_NE(character_class(outside), CharacterClass::kIdeograph) << std::hex << uint32_t{outside};
  }
}

TEST(Unicode, YoungCharactersAreOrdinary) {
  EXPECT_EQ(character_class(0x1AC5), CharacterClass::kText) << "a mark of Unicode 14";
  EXPECT_EQ(combining_class(0x1AC5), 0);
  EXPECT_EQ(character_class(0x2E52), CharacterClass::kText) << "punctuation of Unicode 14";
  EXPECT_EQ(combining_class(0x11442), 9) << "a virama of Unicode 9";
  std::array<char32_t, 4> buffer;
  EXPECT_EQ(decompose(0x11938, buffer).size(), 1u) << "decomposes since Unicode 13";
}

TEST(Unicode, DecomposesFully) {
  std::array<char32_t, 4> buffer;
  const auto parts = [&](char32_t code_point) {
    const auto found = decompose(code_point, buffer);
    return std::u32string(found.begin(), found.end());
  };
  EXPECT_EQ(parts(U'a'), U"a");
  EXPECT_EQ(parts(U'é'), U"e\u0301");
  EXPECT_EQ(parts(U'ế'), U"e\u0302\u0301");
  EXPECT_EQ(parts(U'한'), U"\u1112\u1161\u11AB");
  EXPECT_EQ(parts(U'\u1F82'), U"\u03B1\u0313\u0300\u0345");
  EXPECT_EQ(parts(U'\u212A'), U"K");
  EXPECT_EQ(parts(U'ﬁ'), U"ﬁ") << "a compatibility decomposition only";
}

TEST(Unicode, NoDecompositionOutgrowsItsBuffer) {
  std::array<char32_t, 4> buffer;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) ASSERT_LE(decompose(c, buffer).size(), buffer.size());
}

TEST(Unicode, LowercasesOneToOne) {
  EXPECT_EQ(to_lower(U'A'), U'a');
  EXPECT_EQ(to_lower(U'Ж'), U'ж');
  EXPECT_EQ(to_lower(U'Σ'), U'σ');
  EXPECT_EQ(to_lower(U'ẞ'), U'ß');
  EXPECT_EQ(to_lower(U'1'), U'1');
  EXPECT_EQ(to_lower(0xA7CB), char32_t{0x264});
  EXPECT_EQ(to_lower(0x10D65), char32_t{0x10D85});
  EXPECT_EQ(to_lower(0x10D66), char32_t{0x10D66});
}

TEST(Unicode, PatternClasses) {
  for (const char32_t c : U"azAZéßʰǅאあ漢ªﬁ𐐀")
    EXPECT_TRUE(c == 0 || pattern_class(c) == PatternClass::kLetter) << uint32_t{c};
  for (const char32_t c : U"09²½٣Ⅷ①〇𝟘")
    EXPECT_TRUE(c == 0 || pattern_class(c) == PatternClass::kNumber) << uint32_t{c};
  for (const char32_t c : {0x9, 0xA, 0xB, 0xC, 0xD, 0x20, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x2029, 0x205F, 0x3000}) {
    EXPECT_EQ(pattern_class(c), PatternClass::kBlank) << uint32_t{c};
  }
  for (const char32_t c : {0x0, 0x1C, 0x1F, 0x21, 0x5F, 0x7F, 0x180E, 0x200B, 0x301, 0x378, 0xE000, 0xFEFF, 0x1F600}) {
    EXPECT_EQ(pattern_class(c), PatternClass::kOther) << uint32_t{c};
  }
}

TEST(Unicode, LowercaseOfATextDependsOnNeighboursAtSigma) {
  EXPECT_EQ(lowercase("ÄB1 Ǆ İI"), "äb1 ǆ i\u0307i");
  EXPECT_EQ(lowercase("Σ ΑΣ ΑΣ. ΑΣ.Α ΣΑ"), "σ ας ας. ασ.α σα");
  EXPECT_EQ(lowercase("Α\u0301Σ ΑΣ\u0301 1Σ ⅠΣ"), "α\u0301ς ας\u0301 1σ ⅰς");
  EXPECT_EQ(message_of<DamagedFileError>([] { lowercase("a\xFF"); }), "lowercase: byte 1 (value 255) is not UTF-8");
}

TEST(UnicodeParity, LowercaseLettersAndNumbersAreThoseOfPython) {
  if (!python_has("unicodedata")) GTEST_SKIP() << python() << " is missing (BERTHA_PYTHON names another)";
  const TemporaryDirectory folder;
  std::ofstream(folder / "script.py") << R"(
import sys, unicodedata
for value in range(0x110000):
    c = chr(value)
    if unicodedata.category(c) in ("Cn", "Cs", "Co"):
        continue
    texts = (c, "A" + c + "\u03A3", "A\u03A3" + c + "A", "A\u03A3" + c)
    print(value, int(c.isalnum()), *(t.lower().encode().hex() for t in texts), sep="\t")
)";
  ASSERT_EQ(std::system((quoted(python()) + " " + folder / "script.py" + " >" + folder / "out").c_str()), 0);
  const auto hex = [](const std::string& text) {
    std::string digits;
    for (const char c : text) {
      digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
      digits += "0123456789abcdef"[c & 15];
    }
    return digits;
  };
  std::ifstream out(folder / "out");
  int64_t lines = 0;
  for (uint32_t value, alphanumeric; out >> value >> alphanumeric; ++lines) {
    std::string c;
    append_utf8(value, c);
    const PatternClass kind = pattern_class(value);
    EXPECT_EQ(kind == PatternClass::kLetter || kind == PatternClass::kNumber, alphanumeric == 1) << std::hex << value;
    for (const std::string& text : {c, "A" + c + "Σ", "AΣ" + c + "A", "AΣ" + c}) {
      std::string expected;
      out >> expected;
      EXPECT_EQ(hex(lowercase(text)), expected) << std::hex << value;
    }
  }
  EXPECT_GT(lines, 130'000);
}

}  // namespace
}  // namespace bertha
