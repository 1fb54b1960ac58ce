#include "data/wordpiece_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "autograd/core/error.h"
#include "data/utf8.h"
#include "data/wordpiece.h"
#include "tests/shared_folder.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using Strings = std::vector<std::string>;

/// What is learnt beyond the special tokens.
Strings learn(std::vector<CountedWord> words, int64_t size) {
  Strings pieces = learn_pieces(words, size);
  EXPECT_EQ(Strings(pieces.begin(), pieces.begin() + 5), (Strings{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}));
  pieces.erase(pieces.begin(), pieces.begin() + 5);
  return pieces;
}

TEST(WordPieceTrainer, StartsWithTheCharactersOfEachPlace) {
  EXPECT_EQ(learn({{"ab", 1}, {"é", 1}}, 100), (Strings{"a", "é", "##b"}));
}

TEST(WordPieceTrainer, MergesTheMostFrequentPairFirst) {
  // (a, ##b) 5 times, (##b, ##c) 3, (##x, ##c) 4
  EXPECT_EQ(learn({{"ab", 2}, {"abc", 3}, {"axc", 4}}, 100),
            (Strings{"a", "##b", "##c", "##x", "ab", "ax", "axc", "abc"}));
}

TEST(WordPieceTrainer, OfEquallyFrequentPairsTheOneOfOlderPieces) {
  EXPECT_EQ(learn({{"cd", 2}, {"ab", 2}}, 10), (Strings{"a", "c", "##b", "##d", "ab"}));
}

TEST(WordPieceTrainer, CountsOverlappingPairsAsTheyAreMerged) {
  EXPECT_EQ(learn({{"aaaaa", 2}}, 100), (Strings{"a", "##a", "##aa", "aaa", "aaaaa"}));
}

TEST(WordPieceTrainer, APieceReachedInTwoWaysIsOnePiece) {
  const Strings pieces = learn({{"abc", 4}, {"ab", 3}, {"xbc", 9}, {"abcd", 5}}, 100);
  Strings sorted = pieces;
  std::ranges::sort(sorted);
  EXPECT_TRUE(std::ranges::adjacent_find(sorted) == sorted.end());
  EXPECT_NE(std::ranges::find(pieces, "abcd"), pieces.end());
}

TEST(WordPieceTrainer, EndsWhereNoPairOccursTwice) {
  EXPECT_EQ(learn({{"ab", 1}}, 100).size(), 2u);
}

TEST(WordPieceTrainer, StopsAtItsSize) {
  EXPECT_EQ(learn({{"abcdef", 2}}, 13), (Strings{"a", "##b", "##c", "##d", "##e", "##f", "ab", "##cd"}));
}

TEST(WordPieceTrainer, RefusesASizeBelowTheCharacters) {
  try {
    learn({{"ab", 2}}, 6);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "vocab: size 6 is smaller than the 5 special tokens and 2 characters of the text");
  }
  EXPECT_THROW(learn({}, 100), ConfigError);
}

TEST(WordPieceTrainer, LeavesRareCharactersOfALargeAlphabetOut) {
  std::vector<CountedWord> words = {{"a", 1'000'000}};
  for (char32_t c = 0; c < 1200; ++c) {
    std::string character;
    append_utf8(0x4E00 + c, character);
    words.push_back({character, c < 1000 ? 100u : 1u});
  }
  words.push_back({"a", 1});
  EXPECT_EQ(learn(words, 5000).size(), 1190u) << "1,100,201 characters, of which 11 may go";
}

TEST(WordPieceTrainer, LearnsFromFilesWhatItCountsThere) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "text") << "Tides tide. Tides!\n";
  const Strings pieces = learn_vocabulary({folder / "text"}, {.size = 100, .count = {}});
  EXPECT_NE(std::ranges::find(pieces, "tides"), pieces.end());
  std::ofstream(folder / "empty") << " \n";
  EXPECT_THROW(learn_vocabulary({folder / "empty"}, {.size = 100, .count = {}}), ConfigError);
}

TEST(WordPieceTrainer, PiecesPerWordOfEnglish) {
  const auto shared = shared_folder();
  if (!shared) GTEST_SKIP() << "the folder with texts is not here (BERTHA_SHARED)";
  Strings files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*shared / "data")) {
    const bool corpus = entry.path().parent_path().filename().string().starts_with("corpus-");
    if (corpus && entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  const std::vector<CountedWord> words = count_words(files, {}).words;
  const WordPiece wordpiece(Vocabulary(learn_pieces(words, 16000), "learnt"), true);
  uint64_t occurrences = 0, pieces = 0;
  std::vector<int32_t> ids;
  for (const auto& [word, count] : words) {
    ids.clear();
    wordpiece.append_ids(word, ids);
    occurrences += count;
    pieces += count * ids.size();
    EXPECT_EQ(std::ranges::count(ids, wordpiece.vocabulary().unk()), 0) << word;
  }
  EXPECT_LE(static_cast<double>(pieces) / static_cast<double>(occurrences), 1.068);
}

}  // namespace
}  // namespace bertha
