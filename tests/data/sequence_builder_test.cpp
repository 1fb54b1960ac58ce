#include "data/sequence_builder.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "tests/data/shard_fixtures.h"
#include "tests/data/small_byte_bpe.h"

namespace bertha {
namespace {

constexpr int32_t kCls = 2;
constexpr int32_t kSep = 3;
constexpr SpecialIds kSpecial{kCls, kSep};
constexpr int32_t kFirstWord = 5;

using Ids = std::vector<int32_t>;
using Documents = std::vector<std::vector<Ids>>;  // document, line, token

TokenizedText text_of(const Documents& documents) {
  TokenizedText text;
  for (const auto& document : documents) {
    for (const Ids& line : document) {
      text.ids.insert(text.ids.end(), line.begin(), line.end());
      text.line_ends.push_back(static_cast<int32_t>(text.ids.size()));
    }
    text.document_ends.push_back(static_cast<int32_t>(text.line_ends.size()) - 1);
  }
  return text;
}

/// Every token is another one, so that a sequence tells where it is from.
Documents distinct_documents(uint64_t seed, int count, uint32_t max_lines, uint32_t max_words) {
  RandomStream stream(seed, "test documents");
  Documents documents(count);
  int32_t next = kFirstWord;
  for (auto& document : documents) {
    document.resize(1 + stream.below(max_lines));
    for (Ids& line : document) {
      line.resize(1 + stream.below(max_words));
      std::iota(line.begin(), line.end(), next);
      next += static_cast<int32_t>(line.size());
    }
  }
  return documents;
}

std::vector<Sequence> pack(const Documents& documents, int64_t sequence_length) {
  std::vector<Sequence> sequences;
  pack_full_sentences(text_of(documents), kSpecial, sequence_length,
                      [&](const Sequence& sequence) { sequences.push_back(sequence); });
  return sequences;
}

std::vector<Ids> pack_ids(const Documents& documents, int64_t sequence_length) {
  std::vector<Ids> ids;
  for (const Sequence& sequence : pack(documents, sequence_length)) ids.push_back(sequence.ids);
  return ids;
}

std::vector<Sequence> pair(const Documents& documents, int64_t sequence_length, uint64_t seed) {
  std::vector<Sequence> sequences;
  pair_segments(text_of(documents), kSpecial, sequence_length, RandomStream(seed, "sharding"),
                [&](const Sequence& sequence) { sequences.push_back(sequence); });
  return sequences;
}

Ids first_segment(const Sequence& s) {
  return {s.ids.begin() + 1, s.ids.begin() + s.second_begin - 1};
}
Ids second_segment(const Sequence& s) {
  return {s.ids.begin() + s.second_begin, s.ids.end() - 1};
}

double random_share(const std::vector<Sequence>& sequences) {
  double random = 0;
  for (const Sequence& sequence : sequences) random += sequence.next_sentence_label;
  return random / static_cast<double>(sequences.size());
}

TEST(TokenizeBlock, LeavesOutWhatHasNoTokens) {
  const WordPiece tokenizer = numbered_words(10);
  const CorpusBlock block{"w1 w2\n\x01\nw3\n\n\x01\n\nw4\n", false};  // control characters are no text
  TokenizedText text;
  for (int time = 1; time <= 2; ++time) {  // the second in the memory of the first
    tokenize_block(block, tokenizer, text);
    EXPECT_EQ(text.ids, (Ids{6, 7, 8, 9}));
    EXPECT_EQ(text.line_ends, (Ids{0, 2, 3, 4}));
    EXPECT_EQ(text.document_ends, (Ids{0, 2, 3}));
    EXPECT_EQ(text.documents, 3);
  }
}

TEST(TokenizeBlock, ALongLineHasTheTokensOfItsWords) {
  const WordPiece tokenizer = numbered_words(1000);
  std::string line;
  Ids expected;
  for (int i = 0; i < 100000; ++i) {
    line.append(word_name(i % 1000)).append(" ");
    expected.push_back(kFirstWord + i % 1000);
  }
  TokenizedText text;
  tokenize_block({line, false}, tokenizer, text);
  EXPECT_EQ(text.ids, expected);
}

TEST(TokenizeBlock, ALongLineIsCutBeforeBlanksThatBelongToWords) {
  const ByteBpe tokenizer(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "test");
  std::string line = "hello";
  for (int i = 0; i < 50000; ++i) line += " hello";
  TokenizedText text;
  tokenize_block({line, false}, tokenizer, text);
  Ids expected(50001, *tokenizer.find("Ġhello"));
  expected[0] = *tokenizer.find("hello");
  EXPECT_EQ(text.ids, expected);
}

TEST(TokenizeBlock, ALongLineWithoutBlanksIsCutBetweenCharacters) {
  std::string line;
  for (int i = 0; i < 50000; ++i) line += "\u4E00";  // each ideograph is a word of its own
  TokenizedText text;
  tokenize_block({line, false}, numbered_words(1), text);
  EXPECT_EQ(text.ids, Ids(50000, 1));
}

TEST(PackFullSentences, AppendsWholeLinesWhileTheyFit) {
  EXPECT_EQ(pack_ids({{{10, 11}, {12}, {13, 14}}}, 6),
            (std::vector<Ids>{{kCls, 10, 11, 12, kSep}, {kCls, 13, 14, kSep}}));
}

TEST(PackFullSentences, PartsDocumentsWithinASequence) {
  EXPECT_EQ(pack_ids({{{10}}, {{11, 12}}, {{13}}}, 7),
            (std::vector<Ids>{{kCls, 10, kSep, 11, 12, kSep}, {kCls, 13, kSep}}));
}

TEST(PackFullSentences, ALineLongerThanASequenceFillsWhatIsLeft) {
  EXPECT_EQ(pack_ids({{{10}, {20, 21, 22, 23, 24, 25}, {30}}}, 5),
            (std::vector<Ids>{{kCls, 10, 20, 21, kSep}, {kCls, 22, 23, 24, kSep}, {kCls, 25, 30, kSep}}));
}

TEST(PackFullSentences, NeverEndsInAnEmptyDocument) {
  EXPECT_EQ(pack_ids({{{10, 11}}, {{20, 21, 22, 23}}}, 5),
            (std::vector<Ids>{{kCls, 10, 11, kSep}, {kCls, 20, 21, 22, kSep}, {kCls, 23, kSep}}));
  EXPECT_EQ(pack_ids({{{10, 11, 12}}, {{20, 21, 22, 23}}}, 5),
            (std::vector<Ids>{{kCls, 10, 11, 12, kSep}, {kCls, 20, 21, 22, kSep}, {kCls, 23, kSep}}));
}

TEST(PackFullSentences, KeepsEveryTokenInOrder) {
  for (const int64_t length : {3, 4, 5, 16, 128}) {
    const Documents documents = distinct_documents(length, 200, 5, 40);
    int32_t expected = kFirstWord;
    for (const Sequence& sequence : pack(documents, length)) {
      ASSERT_LE(std::ssize(sequence.ids), length);
      ASSERT_EQ(sequence.second_begin, std::ssize(sequence.ids));
      ASSERT_EQ(sequence.next_sentence_label, -1);
      ASSERT_EQ(sequence.ids.front(), kCls);
      ASSERT_EQ(sequence.ids.back(), kSep);
      for (size_t i = 1; i < sequence.ids.size(); ++i) {
        if (sequence.ids[i] == kSep) {
          ASSERT_NE(sequence.ids[i - 1], kSep);
        } else {
          ASSERT_EQ(sequence.ids[i], expected++);
        }
      }
    }
    EXPECT_EQ(expected, kFirstWord + std::ssize(text_of(documents).ids));
  }
}

/// All that holds for any text of several documents.
void expect_valid_pairs(const Documents& documents, int64_t length, const std::vector<Sequence>& sequences) {
  std::map<int32_t, size_t> document_of;
  for (size_t document = 0; document < documents.size(); ++document) {
    for (const Ids& line : documents[document]) {
      for (const int32_t id : line) document_of[id] = document;
    }
  }
  std::set<int32_t> kept;
  for (const Sequence& sequence : sequences) {
    ASSERT_LE(std::ssize(sequence.ids), length);
    ASSERT_EQ(sequence.ids.front(), kCls);
    ASSERT_EQ(sequence.ids[sequence.second_begin - 1], kSep);
    ASSERT_EQ(sequence.ids.back(), kSep);
    const Ids first = first_segment(sequence);
    const Ids second = second_segment(sequence);
    ASSERT_FALSE(first.empty());
    ASSERT_FALSE(second.empty());
    for (const Ids& segment : {first, second}) {
      for (size_t i = 0; i < segment.size(); ++i) ASSERT_EQ(segment[i], segment[0] + static_cast<int32_t>(i));
      ASSERT_EQ(document_of.at(segment.front()), document_of.at(segment.back()));
    }
    kept.insert(first.begin(), first.end());
    if (sequence.next_sentence_label == 0) {
      ASSERT_EQ(second.front(), first.back() + 1);
      ASSERT_EQ(document_of.at(first.back()), document_of.at(second.front()));
      kept.insert(second.begin(), second.end());
    } else {
      ASSERT_EQ(sequence.next_sentence_label, 1);
      ASSERT_NE(document_of.at(first.back()), document_of.at(second.front()));
    }
  }
  EXPECT_EQ(kept.size(), document_of.size()) << "tokens that are in no segment of their own document";
}

TEST(PairSegments, KeepsEveryTokenAndLabelsTruthfully) {
  for (const int64_t length : {5, 6, 7, 16, 128}) {
    for (const uint32_t max_words : {1u, 3u, 40u, 300u}) {
      const Documents documents = distinct_documents(length, 60, 8, max_words);
      expect_valid_pairs(documents, length, pair(documents, length, 7));
    }
  }
}

TEST(PairSegments, HalfOfThePairsAreRandom) {
  for (const uint32_t max_lines : {1u, 2u, 3u, 30u}) {
    for (const uint32_t max_words : {20u, 60u, 300u}) {
      const Documents documents = distinct_documents(1, 2000, max_lines, max_words);
      EXPECT_NEAR(random_share(pair(documents, 128, 3)), 0.5, 0.03) << max_lines << " lines, " << max_words << " words";
    }
  }
}

TEST(PairSegments, ATenthIsOfARandomShorterLength) {
  const Documents documents(4, std::vector<Ids>(20000, Ids(5, kFirstWord)));
  std::vector<Sequence> sequences = pair(documents, 128, 3);
  std::erase_if(sequences, [](const Sequence& sequence) { return sequence.next_sentence_label != 0; });
  const auto is_short = [](const Sequence& sequence) { return sequence.ids.size() < 100; };
  const auto count = std::ranges::count_if(sequences, is_short);
  EXPECT_NEAR(static_cast<double>(count) / static_cast<double>(sequences.size()), 0.1 * 97 / 124, 0.015);
}

TEST(PairSegments, IsAFunctionOfTheStream) {
  const Documents documents = distinct_documents(1, 50, 5, 40);
  const auto ids = [&](uint64_t seed) {
    std::vector<Ids> all;
    for (const Sequence& sequence : pair(documents, 64, seed)) all.push_back(sequence.ids);
    return all;
  };
  EXPECT_EQ(ids(1), ids(1));
  EXPECT_NE(ids(1), ids(2));
}

TEST(PairSegments, ASingleDocumentHasTruePairsOnly) {
  const Documents documents(1, std::vector<Ids>(100, Ids(20, kFirstWord)));
  const std::vector<Sequence> sequences = pair(documents, 64, 1);
  EXPECT_GT(sequences.size(), 30u);
  EXPECT_EQ(random_share(sequences), 0);
}

TEST(PairSegments, TwoDocumentsOfOneTokenPairWithEachOther) {
  const std::vector<Sequence> sequences = pair({{{10}}, {{20}}}, 16, 1);
  ASSERT_EQ(sequences.size(), 2u);
  EXPECT_EQ(sequences[0].ids, (Ids{kCls, 10, kSep, 20, kSep}));
  EXPECT_EQ(sequences[1].ids, (Ids{kCls, 20, kSep, 10, kSep}));
}

}  // namespace
}  // namespace bertha
