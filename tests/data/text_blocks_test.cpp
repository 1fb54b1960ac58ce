#include "data/text_blocks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "autograd/core/error.h"
#include "data/utf8.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

std::vector<TextBlock> read_all(const std::vector<std::string>& files, size_t block_bytes) {
  TextBlocks blocks(files, block_bytes);
  std::vector<TextBlock> result;
  for (TextBlock block; blocks.next(block);) result.push_back(block);
  return result;
}

TEST(TextBlocks, CoverEveryFileAndCutOnlyAtBlanks) {
  const TemporaryDirectory folder;
  const std::string first = "Größe und Maß\nsind zweierlei, €\n\nnicht wahr", second = "\n x", third;
  const std::vector<std::string> files = {folder / "1", folder / "2", folder / "3"};
  std::ofstream(files[0]) << first;
  std::ofstream(files[1]) << second;
  std::ofstream(files[2]) << third;
  for (size_t block_bytes = 1; block_bytes < 60; ++block_bytes) {
    std::map<std::string, std::string> read;
    int64_t number = 0;
    for (const TextBlock& block : read_all(files, block_bytes)) {
      std::string& before = read[block.path];
      EXPECT_TRUE(before.empty() || before.back() == ' ' || before.back() == '\n') << before;
      EXPECT_EQ(block.number, number++);
      EXPECT_EQ(block.offset, static_cast<int64_t>(before.size()));
      EXPECT_EQ(find_invalid_utf8(block.text), std::string::npos);
      before += block.text;
    }
    EXPECT_EQ(read[files[0]], first);
    EXPECT_EQ(read[files[1]], second);
    EXPECT_EQ(read[files[2]], third);
  }
}

TEST(TextBlocks, StopEndsThem) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "text") << "a b c";
  TextBlocks blocks({folder / "text"}, 2);
  TextBlock block;
  EXPECT_TRUE(blocks.next(block));
  blocks.stop();
  EXPECT_FALSE(blocks.next(block));
}

TEST(TextBlocks, UnreadableFilesAreNamedBeforeAnyIsRead) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "text") << "a b c";
  EXPECT_THROW(TextBlocks({folder / "text", folder / "missing"}, 8), ConfigError);
  EXPECT_THROW(TextBlocks({folder.path()}, 8), ConfigError);
}

TEST(TextBlocks, BytesWithoutAnyBlankAreNotText) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "zeros") << std::string(size_t{65} << 20, '\0');
  EXPECT_THROW(read_all({folder / "zeros"}, size_t{1} << 20), DamagedFileError);
}

}  // namespace
}  // namespace bertha
