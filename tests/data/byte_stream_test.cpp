#include "data/byte_stream.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "autograd/core/error.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

std::string read_some(ByteStream& stream, size_t bytes) {
  std::string text(bytes, '?');
  text.resize(stream.read(text));
  return text;
}

TEST(FileStream, ReadsAndSkips) {
  const TemporaryDirectory folder;
  FileStream stream(write_file(folder / "file", "0123456789"));
  EXPECT_EQ(read_some(stream, 3), "012");
  stream.skip(4);
  EXPECT_EQ(read_some(stream, 100), "789");
  EXPECT_EQ(read_some(stream, 100), "");
  stream.skip(1);
  EXPECT_EQ(read_some(stream, 1), "");
}

TEST(FileStream, IsOfARegularFile) {
  const TemporaryDirectory folder;
  EXPECT_THROW(FileStream(folder / "missing"), ConfigError);
  EXPECT_THROW(FileStream(folder.path()), ConfigError);
  mkfifo((folder / "pipe").c_str(), 0600);
  EXPECT_THROW(FileStream(folder / "pipe"), ConfigError) << "and is not waited for";
}

}  // namespace
}  // namespace bertha
