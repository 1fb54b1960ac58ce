#include "data/utf8.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"

namespace bertha {
namespace {

using namespace std::string_literals;

TEST(Utf8, EveryCodePointSurvivesARoundTrip) {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value == 0xD800) value = 0xE000;
    std::string text;
    append_utf8(value, text);
    const CodePoint decoded = decode_utf8(text);
    ASSERT_EQ(decoded.value, value);
    ASSERT_EQ(static_cast<size_t>(decoded.bytes), text.size());
    ASSERT_EQ(decode_utf8(std::string_view(text).substr(0, text.size() - 1)).bytes, 0) << "cut off";
  }
}

TEST(Utf8, RefusesWhatTheStandardForbids) {
  for (const std::string& text : {"\x80"s, "\xBF"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC3("s, "\xE0\x9F\xBF"s,
                                  "\xE2\x28\xA1"s, "\xED\xA0\x80"s, "\xED\xBF\xBF"s, "\xF0\x8F\xBF\xBF"s,
                                  "\xF0\x9F\x98("s, "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFE"s, "\xFF"s}) {
    EXPECT_EQ(decode_utf8(text).bytes, 0) << testing::PrintToString(text);
    EXPECT_EQ(find_invalid_utf8("twelve bytes" + text), 12u) << testing::PrintToString(text);
  }
}

TEST(Utf8, FindsABadByteAtEveryPlace) {
  for (size_t length = 0; length < 30; ++length) {
    const std::string text(length, 'a');
    EXPECT_EQ(find_invalid_utf8(text), std::string::npos);
    for (size_t at = 0; at < length; ++at) {
      std::string bad = text;
      bad[at] = '\xFF';
      EXPECT_EQ(find_invalid_utf8(bad), at);
    }
  }
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0);
  EXPECT_EQ(count_code_points("aé€😀"), 4);
}

TEST(Utf8, RepairsWhatIsBroken) {
  EXPECT_EQ(repaired_utf8(""), "");
  EXPECT_EQ(repaired_utf8("aé€😀"), "aé€😀");
  EXPECT_EQ(repaired_utf8("a\xFF"
                          "b"),
            "a\uFFFDb");
  EXPECT_EQ(repaired_utf8("\xE2\x82"
                          "b\xF0\x9F\x98"),
            "\uFFFDb\uFFFD")
      << "one for a character that breaks off";
  EXPECT_EQ(repaired_utf8("\x80\xBF"), "\uFFFD\uFFFD");
  EXPECT_EQ(repaired_utf8("\xC3"), "\uFFFD");
  // The example of the Unicode Standard 15.0, table 3-11.
  EXPECT_EQ(repaired_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                          "A"),
            "\uFFFD\uFFFD\uFFFD\uFFFDA");
  // Overlong forms, surrogates and what is too large: table 3-8 and after, a sign for each byte.
  for (const char* bytes :
       {"\xC0\xAF", "\xE0\x9F\x80", "\xED\xA0\x80", "\xF0\x8F\x80\x80", "\xF4\x90\x80\x80", "\xF8\x80"}) {
    std::string expected;
    for (size_t i = 0; i < std::string_view(bytes).size(); ++i) expected += "\uFFFD";
    EXPECT_EQ(repaired_utf8(bytes), expected) << testing::PrintToString(bytes);
  }
}

TEST(Utf8, NamesFileAndByte) {
  try {
    check_utf8("ab\xFF", "corpus.txt", 1000);
    FAIL();
  } catch (const DamagedFileError& error) {
    EXPECT_STREQ(error.what(), "corpus.txt: byte 1002 (value 255) is not UTF-8");
  }
}

}  // namespace
}  // namespace bertha
