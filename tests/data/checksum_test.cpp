#include "data/checksum.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"

namespace bertha {
namespace {

TEST(Checksum, OfPiecesIsThatOfTheWhole) {
  const std::string text = "a text in pieces";
  Checksum checksum;
  for (const char letter : text) checksum.update(std::span(&letter, 1));
  EXPECT_EQ(checksum.value(), checksum_of(std::as_bytes(std::span(text))));
}

TEST(Checksum, HexadecimalDigitsGoBothWays) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{0xABCDEF0123456789}, UINT64_MAX}) {
    EXPECT_EQ(to_hex(value).size(), kHexDigits);
    EXPECT_EQ(from_hex(to_hex(value)), value);
  }
  for (const std::string digits :
       {"", "1", "00000000000000001", "000000000000000g", " 000000000000001", "-000000000000001", "0x00000000000001"}) {
    EXPECT_THROW(from_hex(digits), DamagedFileError) << digits;
  }
}

}  // namespace
}  // namespace bertha
