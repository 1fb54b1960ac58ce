#include "data/corpus.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"
#include "tests/data/shard_fixtures.h"

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

template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no error of this kind";
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
  EXPECT_EQ(documents_of(corpus.block(0)), expected);
  EXPECT_TRUE(corpus.has_several_documents());
}

TEST(Corpus, BlocksJoinToTheWholeTextAndKeepDocumentsWhole) {
  const TemporaryDirectory directory;
  const std::string first = random_text(1, 60, 4, 6, 500);
  const std::string second = random_text(2, 40, 4, 6, 500);
  const std::vector<std::string> files{write_file(directory / "a", first), write_file(directory / "b", second)};
  for (const int64_t block_bytes : {200, 333, 1024}) {
    const Corpus corpus(files, block_bytes);
    std::string joined;
    for (int64_t index = 0; index < corpus.blocks(); ++index) {
      const CorpusBlock block = corpus.block(index);
      EXPECT_LE(std::ssize(block.text), 2 * block_bytes);
      EXPECT_FALSE(block.continues_document && block_bytes > 300) << index;
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
  for (int64_t index = 0; index < corpus.blocks(); ++index) {
    const CorpusBlock block = corpus.block(index);
    EXPECT_EQ(block.continues_document, index > 0);
    EXPECT_TRUE(block.text.starts_with("line "));
    EXPECT_TRUE(block.text.ends_with('\n'));
  }
  EXPECT_FALSE(corpus.has_several_documents());
}

TEST(Corpus, ALongLineIsCutAtBlanks) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "word ";
  const Corpus corpus({write_file(directory / "a", text)}, 100);
  EXPECT_EQ(corpus.blocks(), 10);
  for (int64_t index = 0; index < corpus.blocks(); ++index) {
    const std::string block = corpus.block(index).text;
    EXPECT_TRUE(block.starts_with("word "));
  }
}

TEST(Corpus, ALineWithoutBlanksIsCutBetweenCharacters) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 300; ++i) text += "\u20AC";  // 3 bytes
  const Corpus corpus({write_file(directory / "a", text)}, 100);
  std::string joined;
  for (int64_t index = 0; index < corpus.blocks(); ++index) {
    const std::string block = corpus.block(index).text;
    EXPECT_TRUE(block.starts_with("\u20AC"));
    joined += block;
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
  const std::string message = message_of<DamagedFileError>([&] {
    for (int64_t index = 0; index < corpus.blocks(); ++index) corpus.block(index);
  });
  EXPECT_EQ(message.find(files[1] + ": byte 777 "), 0u) << message;
}

TEST(Corpus, ACharacterThatTheFileEndCutsOffIsNotUtf8) {
  const TemporaryDirectory directory;
  const Corpus corpus({write_file(directory / "a", "abc\xE2\x82"), write_file(directory / "b", "\x82x")}, kLarge);
  EXPECT_THROW(corpus.block(0), DamagedFileError);
}

TEST(Corpus, NamesWhatCannotBeRead) {
  const TemporaryDirectory directory;
  EXPECT_EQ(message_of<ConfigError>([&] { Corpus({directory / "none"}, kLarge); }),
            directory / "none" + ": cannot be opened: No such file or directory");
  EXPECT_EQ(message_of<ConfigError>([&] { Corpus({directory.path()}, kLarge); }),
            directory.path() + ": not a regular file");
  EXPECT_THROW(Corpus({write_file(directory / "empty", "")}, kLarge), ConfigError);
  EXPECT_THROW(Corpus({}, kLarge), ConfigError);
}

TEST(Corpus, SaysWhenAFileBecameShorter) {
  const TemporaryDirectory directory;
  const std::string path = write_file(directory / "a", "some text\n");
  const Corpus corpus({path}, kLarge);
  std::filesystem::resize_file(path, 3);
  EXPECT_EQ(message_of<Error>([&] { corpus.block(0); }), path + ": ends at byte 3, it had 3 bytes when it was opened");
}

}  // namespace
}  // namespace bertha
