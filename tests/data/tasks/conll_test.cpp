#include "data/tasks/conll.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"
#include "tests/data/gzip.h"
#include "tests/data/shard_fixtures.h"
#include "tests/message_of.h"
#include "tests/shared_folder.h"

namespace bertha {
namespace {

using Strings = std::vector<std::string>;

class ConllTest : public testing::Test {
 protected:
  std::vector<TaggedSentence> read(const std::string& content) {
    return read_conll(write_file(folder_ / "a.conll", content));
  }
  std::vector<TaggedSentence> from_table(const std::string& name, const std::string& content) {
    return tagged_sentences(Table::read(write_file(folder_ / name, content)), "words", "tags");
  }
  std::string without_folder(const std::string& message) const {
    const std::string folder = folder_ / "";
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }
  std::string damage(const std::string& content) {
    return without_folder(message_of<DamagedFileError>([&] { read(content); }));
  }

  TemporaryDirectory folder_;
};

TEST_F(ConllTest, ABlankLineEndsASentence) {
  const auto sentences = read("\n\nAnna B-PER\nMaria\tI-PER\n \t\n\nsings O");
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].words, (Strings{"Anna", "Maria"}));
  EXPECT_EQ(sentences[0].tags, (Strings{"B-PER", "I-PER"}));
  EXPECT_EQ(sentences[0].line, 3);
  EXPECT_EQ(sentences[1].words, Strings{"sings"});
  EXPECT_EQ(sentences[1].line, 7);
}

TEST_F(ConllTest, TheTagIsTheLastColumn) {
  const auto sentences =
      read("-DOCSTART- -X- -X- O\n\nU.N. NNP I-NP I-ORG\nofficial NN I-NP O\n-DOCSTART- -X- O O\n. . O O\n");
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].words, (Strings{"U.N.", "official"}));
  EXPECT_EQ(sentences[0].tags, (Strings{"I-ORG", "O"}));
  EXPECT_EQ(sentences[1].line, 6);
}

TEST_F(ConllTest, TextMayComeFromWindowsOrCompressed) {
  EXPECT_EQ(read("\xEF\xBB\xBFä\tO\r\n\r\nb\tS-X\r\n")[0].words, Strings{"ä"});
  EXPECT_EQ(read("a\tO\r\n\r\nb\tS-X\r\n")[1].tags, Strings{"S-X"});
  EXPECT_EQ(read_conll(write_gzip(folder_ / "a.conll.gz", "a O\n")).size(), 1u);
}

TEST_F(ConllTest, DamageIsNamedWithItsLine) {
  EXPECT_EQ(damage("a O\nb\n"), "a.conll:2: one column, 'b' (expected a word and a tag)");
  EXPECT_EQ(damage("a O\n\tO\n"), "a.conll:2: one column, '?O' (expected a word and a tag)");
  EXPECT_EQ(damage("a O\n\n\xC3 O\n"), "a.conll:3: byte 0 (value 195) is not UTF-8");
  EXPECT_EQ(damage(std::string("a\0 O\n", 5)), "a.conll:1: byte 1 is zero");
  EXPECT_EQ(damage(""), "a.conll: no sentences");
  EXPECT_EQ(damage("\n-DOCSTART- O\n\n"), "a.conll: no sentences");
  EXPECT_THROW(read_conll(folder_ / "missing"), ConfigError);
}

TEST_F(ConllTest, ATagIsAnyName) {
  const auto sentences = read("the DET\ntree NOUN\n. _\nAnna PER\nB B\n");
  EXPECT_EQ(sentences[0].tags, (Strings{"DET", "NOUN", "_", "PER", "B"}));
  EXPECT_EQ(from_table("a.jsonl", R"({"words": ["a"], "tags": ["X y"]})")[0].tags, Strings{"X y"});
}

TEST_F(ConllTest, EachWordHasItsLine) {
  EXPECT_EQ(read("\na O\nb O\n")[0].line_of(1), 3);
  EXPECT_EQ(from_table("a.tsv", "words\ttags\na b\tO O\n")[0].line_of(1), 2) << "the row's";
}

TEST_F(ConllTest, ARowOfATableIsASentence) {
  const auto sentences = from_table("a.tsv", "tags\tintent\twords\nO B-x\ti\tplay jazz\n\nS-y\tj\t now \n");
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].words, (Strings{"play", "jazz"}));
  EXPECT_EQ(sentences[0].tags, (Strings{"O", "B-x"}));
  EXPECT_EQ(sentences[1].words, Strings{"now"});
  EXPECT_EQ(sentences[1].line, 4);
  EXPECT_EQ(from_table("a.jsonl", R"({"words": ["New York", "now"], "tags": ["B-x", "O"]})")[0].words,
            (Strings{"New York", "now"}));
}

TEST_F(ConllTest, WordsAndTagsOfARowMustBeAsMany) {
  const auto damage_of = [&](const std::string& content) {
    return without_folder(message_of<DamagedFileError>([&] { from_table("a.tsv", content); }));
  };
  EXPECT_EQ(damage_of("words\ttags\na\tO\na b\tO\n"), "a.tsv:3: 2 words and 1 tags");
  EXPECT_THROW(from_table("a.tsv", "word\ttags\na\tO\n"), ConfigError);
  EXPECT_EQ(
      without_folder(message_of<DamagedFileError>([&] { from_table("a.jsonl", R"({"words": ["a"], "tags": [""]})"); })),
      "a.jsonl:1: an empty tag (expected O, or the name of one)");
}

TEST(ConllOfSharedFolder, HasTheSentencesThatItsReadmeCounts) {
  const auto shared = shared_folder();
  if (!shared) GTEST_SKIP() << "the shared folder is missing (BERTHA_SHARED names it)";
  const std::vector<std::tuple<std::string, size_t, size_t>> files{{"wnut17/train.conll", 3394, 62730},
                                                                   {"wnut17/dev.conll", 1009, 15733},
                                                                   {"wnut17/test.conll", 1287, 23394},
                                                                   {"wikigold/test.conll", 297, 6849},
                                                                   {"wikigold/train.conll", 1399, 32158}};
  for (const auto& [name, count, words] : files) {
    const auto sentences = read_conll(*shared / "data" / name);
    EXPECT_EQ(sentences.size(), count) << name;
    size_t total = 0;
    for (const TaggedSentence& sentence : sentences) total += sentence.words.size();
    EXPECT_EQ(total, words) << name;
  }
  EXPECT_EQ(tagged_sentences(Table::read(*shared / "data/snips/train.tsv"), "tokens", "slots").size(), 13084u);
}

}  // namespace
}  // namespace bertha
