#include "data/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>

#include "data/utf8.h"

namespace bertha {
namespace {

std::string read_bytes(std::string_view written) {
  std::string bytes = "before ";
  append_read_bytes(written, bytes);
  EXPECT_TRUE(bytes.starts_with("before "));
  return bytes.substr(7);
}

TEST(ByteAlphabet, EveryByteHasACharacterOfItsOwn) {
  std::set<std::string> characters;
  for (int value = 0; value < 256; ++value) {
    const std::string byte(1, static_cast<char>(value));
    const std::string written = written_bytes(byte);
    EXPECT_EQ(count_code_points(written), 1) << value;
    EXPECT_TRUE(characters.insert(written).second) << value;
    EXPECT_EQ(read_bytes(written), byte) << value;
  }
}

TEST(ByteAlphabet, IsThatOfPublishedFiles) {
  EXPECT_EQ(written_bytes(" the\n"), "ĠtheĊ");
  EXPECT_EQ(written_bytes("~!é"), "~!Ã©");
  EXPECT_EQ(written_bytes(std::string("\0\x7F\xA0\xAD\xAE\xFF", 6)), "ĀġłŃ®ÿ");
}

TEST(ByteAlphabet, WhatIsNotWrittenInItStandsForItself) {
  EXPECT_EQ(read_bytes("Ġa b"), "Ġa b") << "a blank is no character of it";
  EXPECT_EQ(read_bytes("ńŅ"), "ńŅ") << "one past the last";
  EXPECT_EQ(read_bytes("\u00AD"), "\u00AD");
  EXPECT_EQ(read_bytes("\u00A0"), "\u00A0");
  EXPECT_EQ(read_bytes("漢"), "漢");
  EXPECT_EQ(read_bytes(""), "");
}

}  // namespace
}  // namespace bertha
