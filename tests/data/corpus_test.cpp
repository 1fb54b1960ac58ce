#include "data/corpus.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"
#include "tests/data/gzip.h"
#include "tests/data/shard_fixtures.h"
#include "tests/message_of.h"

namespace bertha {
namespace {

constexpr int64_t kLarge = 1 << 20;

std::vector<std::vector<std::string>> documents_of(const CorpusBlock& block) {
  std::vector<std::vector<std::string>> documents;
  for_each_line(block, [&](const TextLine& line) {
    if (line.starts_document || documents.empty()) documents.emplace_back();
    documents.back().emplace_back(line.text);
  });
  return documents;
}

std::vector<CorpusBlock> blocks_of(const Corpus& corpus) {
  CorpusReader reader(corpus);
  std::vector<CorpusBlock> blocks(static_cast<size_t>(corpus.blocks()));
  for (int64_t index = 0; index < corpus.blocks(); ++index) reader.read(index, blocks[index]);
  return blocks;
}

TEST(Corpus, BlankLinesAndFileEndsPartDocuments) {
  const TemporaryDirectory directory;
  const std::vector<std::string> files{write_file(directory / "a", "\n\none\ntwo\n \t\r\nthree"),
                                       write_file(directory / "b", ""),
                                       write_file(directory / "c", "four\n\n\nfive\n")};
  const Corpus corpus(files, kLarge);
  EXPECT_EQ(corpus.blocks(), 1);
  EXPECT_EQ(corpus.bytes(), 31);
  const std::vector<std::vector<std::string>> expected{{"one", "two"}, {"three"}, {"four"}, {"five"}};
  EXPECT_EQ(documents_of(blocks_of(corpus).front()), expected);
  EXPECT_TRUE(has_several_documents(corpus));
}

TEST(Corpus, BlocksJoinToTheWholeTextAndKeepDocumentsWhole) {
  const TemporaryDirectory directory;
  const std::string first = random_text(1, 60, 4, 6, 500);
  const std::string second = random_text(2, 40, 4, 6, 500);
  const std::vector<std::string> files{write_file(directory / "a", first), write_file(directory / "b", second)};
  for (const int64_t block_bytes : {200, 333, 1024}) {
    const Corpus corpus(files, block_bytes);
    std::string joined;
    for (const CorpusBlock& block : blocks_of(corpus)) {
      EXPECT_LE(std::ssize(block.text), 2 * block_bytes);
      EXPECT_FALSE(block.continues_document && block_bytes > 300);
      joined += block.text;
    }
    EXPECT_EQ(joined, first + "\n\n" + second + "\n\n");
    EXPECT_GT(corpus.blocks(), 1);
  }
}

TEST(Corpus, ALongDocumentIsCutAtLineEnds) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 200; ++i) text.append("line ").append(std::to_string(i)).append("\n");
  const Corpus corpus({write_file(directory / "a", text)}, 100);
  const std::vector<CorpusBlock> blocks = blocks_of(corpus);
  for (const CorpusBlock& block : blocks) {
    EXPECT_EQ(block.continues_document, &block != &blocks.front());
    EXPECT_TRUE(block.text.starts_with("line "));
    EXPECT_TRUE(block.text.ends_with('\n'));
  }
  EXPECT_FALSE(has_several_documents(corpus));
}

TEST(Corpus, ALongLineIsCutAtBlanks) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "word ";
  const Corpus corpus({write_file(directory / "a", text)}, 100);
  EXPECT_EQ(corpus.blocks(), 10);
  for (const CorpusBlock& block : blocks_of(corpus)) EXPECT_TRUE(block.text.starts_with("word "));
}

TEST(Corpus, ALineWithoutBlanksIsCutBetweenCharacters) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 300; ++i) text += "\u20AC";  // 3 bytes
  const Corpus corpus({write_file(directory / "a", text)}, 100);
  std::string joined;
  for (const CorpusBlock& block : blocks_of(corpus)) {
    EXPECT_TRUE(block.text.starts_with("\u20AC"));
    joined += block.text;
  }
  EXPECT_EQ(joined, text + "\n\n");
}

TEST(Corpus, NamesFileAndByteThatIsNotUtf8) {
  const TemporaryDirectory directory;
  std::string bad = random_text(3, 30, 4, 6, 500);
  bad[777] = '\xFF';
  const std::vector<std::string> files{write_file(directory / "good", random_text(4, 30, 4, 6, 500)),
                                       write_file(directory / "bad", bad)};
  const Corpus corpus(files, 300);
  const std::string message = message_of<DamagedFileError>([&] { blocks_of(corpus); });
  EXPECT_EQ(message.find(files[1] + ": byte 777 "), 0u) << message;
}

TEST(Corpus, ACharacterThatTheFileEndCutsOffIsNotUtf8) {
  const TemporaryDirectory directory;
  const Corpus corpus({write_file(directory / "a", "abc\xE2\x82"), write_file(directory / "b", "\x82x")}, kLarge);
  EXPECT_THROW(blocks_of(corpus), DamagedFileError);
}

TEST(Corpus, NamesWhatCannotBeRead) {
  const TemporaryDirectory directory;
  EXPECT_EQ(message_of<ConfigError>([&] { Corpus({directory / "none"}, kLarge); }),
            directory / "none" + ": cannot be opened: No such file or directory");
  EXPECT_EQ(message_of<ConfigError>([&] { Corpus({directory.path()}, kLarge); }),
            directory.path() + ": is not a regular file");
  EXPECT_THROW(Corpus({write_file(directory / "empty", "")}, kLarge), ConfigError);
  EXPECT_THROW(Corpus({}, kLarge), ConfigError);
}

TEST(Corpus, ReadsAnyBlocksInOrderAsIfAllWereRead) {
  const TemporaryDirectory directory;
  const std::vector<std::string> files{write_file(directory / "a", random_text(1, 60, 4, 6, 500)),
                                       write_gzip(directory / "b.gz", random_text(2, 60, 4, 6, 500)),
                                       write_file(directory / "c", random_text(3, 60, 4, 6, 500))};
  const Corpus corpus(files, 200);
  const std::vector<CorpusBlock> blocks = blocks_of(corpus);
  for (const int64_t step : {2, 3, 7, 20, 50}) {
    CorpusReader reader(corpus);
    CorpusBlock block;
    for (int64_t index = step / 2; index < corpus.blocks(); index += step) {
      reader.read(index, block);
      EXPECT_EQ(block.text, blocks[index].text);
      EXPECT_EQ(block.continues_document, blocks[index].continues_document);
    }
    EXPECT_THROW(reader.read(0, block), Error) << "backwards";
  }
}

TEST(Corpus, SaysWhenAFileBecameShorter) {
  const TemporaryDirectory directory;
  const std::string path = write_file(directory / "a", "some text\n");
  const Corpus corpus({path}, kLarge);
  std::filesystem::resize_file(path, 3);
  EXPECT_EQ(message_of<Error>([&] { blocks_of(corpus); }),
            path + ": ends at byte 3, it had 10 bytes when it was opened");
}

}  // namespace
}  // namespace bertha
