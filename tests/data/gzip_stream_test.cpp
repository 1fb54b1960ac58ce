#include "data/gzip_stream.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"
#include "tests/data/gzip.h"
#include "tests/data/read_all.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

class GzipStreamTest : public testing::Test {
 protected:
  std::string content_of(const std::string& compressed, size_t part = 1000) const {
    GzipStream stream(write_file(path_, compressed));
    return read_all(stream, part);
  }
  std::string damage_of(const std::string& compressed) const {
    try {
      content_of(compressed);
    } catch (const DamagedFileError& error) {
      return error.what();
    }
    return "nothing was found";
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "text.gz";
  std::string text_ = random_text(1, 3000, 6, 12, 300);
};

TEST_F(GzipStreamTest, GivesBackWhatWasCompressed) {
  for (const size_t part : {size_t{1}, size_t{777}, text_.size(), text_.size() + 1}) {
    EXPECT_EQ(content_of(gzip(text_), part), text_) << part;
  }
  EXPECT_EQ(content_of(gzip("")), "");
}

TEST_F(GzipStreamTest, ReadsOneMemberBehindTheOther) {
  EXPECT_EQ(content_of(gzip("one\n") + gzip("") + gzip(text_) + gzip("three")), "one\n" + text_ + "three");
}

TEST_F(GzipStreamTest, PassesOverZeroBytesBehindAMember) {
  EXPECT_EQ(content_of(gzip("one") + std::string(100'000, '\0') + gzip("two") + std::string(512, '\0')), "onetwo");
}

TEST_F(GzipStreamTest, SkipsAsIfItHadRead) {
  GzipStream stream(write_file(path_, gzip(text_)));
  stream.skip(1234);
  EXPECT_EQ(read_all(stream, 1000), text_.substr(1234));
}

TEST_F(GzipStreamTest, EveryTruncationIsFound) {
  const std::string compressed = gzip("A tide came in.");
  for (size_t size = 0; size < compressed.size(); ++size) {
    EXPECT_EQ(damage_of(compressed.substr(0, size)),
              path_ + ": ends within gzip data, at byte " + std::to_string(size));
  }
  EXPECT_EQ(damage_of(gzip(text_) + compressed.substr(0, 5)).find(path_ + ": ends within gzip data"), 0u);
}

TEST_F(GzipStreamTest, ABadChecksumIsFound) {
  std::string compressed = gzip(text_);
  compressed[compressed.size() - 6] ^= 1;
  EXPECT_EQ(damage_of(compressed),
            path_ + ": damaged gzip data at byte " + std::to_string(compressed.size() - 4) + ": incorrect data check");
}

TEST_F(GzipStreamTest, NoFlippedBitChangesTheText) {
  const std::string text = "A tide came in.", compressed = gzip(text);
  for (size_t byte = 0; byte < compressed.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = compressed;
      damaged[byte] ^= static_cast<char>(1 << bit);
      try {
        EXPECT_EQ(content_of(damaged), text) << byte << " " << bit;  // a date, or bits that fill the last byte
      } catch (const DamagedFileError&) {
      }
    }
  }
}

TEST_F(GzipStreamTest, WhatIsNotGzipIsRefused) {
  EXPECT_EQ(damage_of("plain text\n").find(path_ + ": damaged gzip data at byte"), 0u);
  EXPECT_EQ(damage_of(gzip("text") + "more").find(path_ + ": damaged gzip data at byte"), 0u);
  EXPECT_THROW(GzipStream(folder_ / "missing.gz"), ConfigError);
  EXPECT_THROW(GzipStream(folder_.path()), ConfigError);
}

}  // namespace
}  // namespace bertha
