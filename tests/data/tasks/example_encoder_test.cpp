#include "data/tasks/example_encoder.h"

#include <gtest/gtest.h>

#include <numeric>

#include "autograd/core/error.h"
#include "data/wordpiece.h"

namespace bertha {
namespace {

using Ids = std::vector<int32_t>;

// Letters are words, and continue them.
WordPiece letters() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char c = 'a'; c <= 'z'; ++c) tokens.push_back(std::string(1, c));
  for (char c = 'a'; c <= 'z'; ++c) tokens.push_back("##" + std::string(1, c));
  return WordPiece(Vocabulary(tokens, "letters"), true);
}

class ExampleEncoderTest : public ::testing::Test {
 protected:
  ExampleEncoder encoder(int64_t length, int64_t stride = 0) const { return {tokenizer_, length, stride}; }

  WordPiece tokenizer_ = letters();
};

TEST_F(ExampleEncoderTest, CutsTheLongerOfAPair) {
  const TaskExample example = encoder(8).text("a b c d e f", "x");
  ASSERT_EQ(example.sequences.size(), 1u);
  EXPECT_EQ(example.sequences[0].ids.size(), 8u);
  EXPECT_EQ(example.sequences[0].second_begin, 6) << "[CLS] a b c d [SEP]";
}

TEST_F(ExampleEncoderTest, HasNoSecondSegmentWithoutAPair) {
  const TaskExample example = encoder(16).text("a b", std::nullopt);
  EXPECT_EQ(example.sequences[0].second_begin, 4);
}

TEST_F(ExampleEncoderTest, PutsTheTextBeforeEachChoice) {
  const TaskExample example = encoder(16).choices("a", std::vector<std::string>{"b", "c d"});
  ASSERT_EQ(example.sequences.size(), 2u);
  EXPECT_EQ(example.sequences[0].ids.size(), 5u);
  EXPECT_EQ(example.sequences[1].ids.size(), 6u);
  EXPECT_EQ(example.sequences[1].second_begin, 3);
}

TEST_F(ExampleEncoderTest, LabelsFirstPiecesOnly) {
  const auto windows = encoder(32).words(std::vector<std::string>{"abc", "d", "é!", "f"});
  ASSERT_EQ(windows.size(), 1u);
  // [CLS] a ##b ##c d e [UNK] f [SEP]
  EXPECT_EQ(windows[0].rows, (Ids{1, 4, 5, 7}));
  EXPECT_EQ(windows[0].words, (Ids{0, 1, 2, 3}));
}

TEST_F(ExampleEncoderTest, WordsWithoutAPieceHaveNoRow) {
  const auto windows = encoder(32).words(std::vector<std::string>{"a", "\u200b\u0001", "b"});
  EXPECT_EQ(windows[0].words, (Ids{0, 2}));
}

TEST_F(ExampleEncoderTest, LosesNoWordOfALongSentence) {
  for (const int64_t length : {3, 4, 5, 7, 40}) {
    std::vector<int> seen(9);
    const std::vector<std::string> words = {"abc", "d", "ef", "g", "hi", "jklm", "n", "o", "pq"};
    for (const TaskExample& window : encoder(length).words(words)) {
      EXPECT_LE(window.sequences[0].ids.size(), static_cast<size_t>(length));
      for (size_t i = 0; i < window.rows.size(); ++i) {
        ++seen[static_cast<size_t>(window.words[i])];
        const int32_t id = window.sequences[0].ids[static_cast<size_t>(window.rows[i])];
        EXPECT_EQ(tokenizer_.vocabulary().token(id), words[static_cast<size_t>(window.words[i])].substr(0, 1));
      }
    }
    EXPECT_EQ(seen, std::vector<int>(9, 1)) << length;
  }
}

TEST_F(ExampleEncoderTest, FindsAnAnswerInTheWindowsThatHoldIt) {
  const std::string context = "a b cd e f g h";
  auto windows = encoder(8, 2).question("x", context);
  ASSERT_GT(windows.size(), 1u);
  int holding = 0;
  for (TaskExample& window : windows) {
    set_answer(window, {4, 8});  // "cd e"
    if (window.start == 0) {
      EXPECT_EQ(window.end, 0);
      continue;
    }
    ++holding;
    EXPECT_EQ(window.offsets[static_cast<size_t>(window.start)].begin, 4);
    EXPECT_EQ(window.offsets[static_cast<size_t>(window.end)].end, 8);
  }
  EXPECT_EQ(holding, 1);
}

TEST_F(ExampleEncoderTest, TakesWholeTokensAroundAnAnswerWithinAWord) {
  auto windows = encoder(32).question("x", "abc d");
  set_answer(windows[0], {1, 2});
  EXPECT_EQ(windows[0].offsets[static_cast<size_t>(windows[0].start)], (CodePoints{1, 2}));
  EXPECT_EQ(windows[0].start, windows[0].end);
}

TEST_F(ExampleEncoderTest, CutsAQuestionThatLeavesNoRoom) {
  const std::string question = "a b c d e f g h i j", context = "k l m n o p q r s t u v";
  const auto windows = encoder(15, 2).question(question, context);  // 12 for both, half of 10 for the question
  EXPECT_TRUE(windows[0].is_cut);
  std::vector<bool> seen(context.size());
  for (const TaskExample& window : windows) {
    EXPECT_LE(window.sequences[0].ids.size(), 15u);
    EXPECT_EQ(window.sequences[0].second_begin, 7) << "[CLS] a b c d e [SEP]";
    for (const CodePoints token : window.offsets) {
      if (token.begin < token.end) seen[static_cast<size_t>(token.begin)] = true;
    }
  }
  EXPECT_EQ(std::ranges::count(seen, true), 12) << "every letter of the context";
  EXPECT_FALSE(encoder(15, 2).question("a b c d e", context)[0].is_cut);
  EXPECT_FALSE(encoder(15, 2).question("a b c d e f g h", "k")[0].is_cut) << "both fit";
  EXPECT_EQ(encoder(15, 2).question("abcdefgh", context)[0].sequences[0].second_begin, 7) << "within a word";
  EXPECT_THROW(encoder(15, 11).question(question, context), ConfigError);
}

TEST_F(ExampleEncoderTest, SaysWhichTextsAreCut) {
  EXPECT_TRUE(encoder(8).text("a b c d e f", "x").is_cut);
  EXPECT_FALSE(encoder(8).text("a b c d e f", std::nullopt).is_cut);
  EXPECT_TRUE(encoder(6).choices("a", std::vector<std::string>{"b c d", "b"}).is_cut);
  EXPECT_FALSE(encoder(6).choices("a", std::vector<std::string>{"b c", "b"}).is_cut);
}

TEST_F(ExampleEncoderTest, AQuestionHasNoOffsets) {
  const auto windows = encoder(32).question("a b", "c d");
  const CodePoints none;
  for (const size_t row : {0, 1, 2, 3, 6}) EXPECT_EQ(windows[0].offsets[row], none) << row;
  EXPECT_EQ(windows[0].offsets[4], (CodePoints{0, 1}));
}

TEST_F(ExampleEncoderTest, AnAnswerThatIsNotThereIsTheFirstToken) {
  auto windows = encoder(32).question("x", "abc d");
  set_answer(windows[0], {-1, -1});
  EXPECT_EQ(windows[0].start, 0);
  set_answer(windows[0], {4, 9});
  EXPECT_EQ(windows[0].start, 0) << "past the end of the context";
}

TEST(ExampleSource, LaysExamplesWithTheirLabels) {
  auto examples = std::make_shared<std::vector<TaskExample>>(2);
  (*examples)[0].sequences = {{{1, 2}, 2}, {{3}, 1}};
  (*examples)[0].label = 1;
  (*examples)[1].sequences = {{{4, 5, 6}, 1}};
  (*examples)[1].rows = {1};
  (*examples)[1].row_labels = {7};
  (*examples)[1].start = 1;
  (*examples)[1].end = 2;
  const SampleSource source = example_source(examples);
  EXPECT_EQ(source.size, 2);
  PackedBatch batch;
  source.append(batch, 1, evaluation_masks(1));
  source.append(batch, 0, evaluation_masks(0));
  EXPECT_EQ(batch.input_ids, (Ids{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(batch.type_ids, (Ids{0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(batch.sets, (Ids{0, 1, 3}));
  EXPECT_EQ(batch.sequence_labels, (Ids{-1, 1})) << "none of the first";
  EXPECT_EQ(batch.labelled_rows, (Ids{1}));
  EXPECT_EQ(batch.starts, (Ids{1, -1}));
  EXPECT_EQ(batch.ends, (Ids{2, -1}));
  std::vector<uint64_t> keys = batch.row_keys;
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::unique(keys).size(), 0u) << "two rows share their dropout";
}

}  // namespace
}  // namespace bertha
