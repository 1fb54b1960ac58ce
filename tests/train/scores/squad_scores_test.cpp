#include "train/scores/squad_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/core/random.h"
#include "tests/train/scores/reference_scores.h"

namespace bertha {
namespace {

using nlohmann::json;
using Answers = std::vector<std::string>;

TEST(NormalizeAnswer, LeavesWhatAnswersAreComparedBy) {
  EXPECT_EQ(normalize_answer(""), "");
  EXPECT_EQ(normalize_answer("The  Eiffel\tTower."), "eiffel tower");
  EXPECT_EQ(normalize_answer("an apple a day: the answer"), "apple day answer");
  EXPECT_EQ(normalize_answer("U.S. Anthem, Athens"), "us anthem athens");
  EXPECT_EQ(normalize_answer("A-B"), "ab") << "punctuation goes first";
  EXPECT_EQ(normalize_answer("the_"), "") << "an underscore is punctuation";
  EXPECT_EQ(normalize_answer("b–a–c"), "b– –c") << "a dash that is not of ASCII parts words";
  EXPECT_EQ(normalize_answer("“The” ÄPFEL"), "“ ” äpfel");
  EXPECT_EQ(normalize_answer("a\u0301 x"), "\u0301 x") << "an accent is no letter";
  EXPECT_EQ(normalize_answer("a1 the² ²"), "a1 the² ²") << "digits of all kinds belong to a word";
  EXPECT_EQ(normalize_answer("\u00A0x\u2003\u3000y\u2028z\x1Fw\u0085"), "x y z w");
  EXPECT_EQ(normalize_answer("ΟΔΟΣ ΣΑΣ"), "οδος σας");
}

TEST(AnswerScores, OfASmallExample) {
  // "cat sat on mat" and "cat on mat": three words in common of four and three.
  const auto scores = answer_scores("The cat sat on the mat!", Answers{"dog", "a cat on a mat"});
  EXPECT_EQ(scores.exact_match, 0);
  EXPECT_DOUBLE_EQ(scores.f1, 6.0 / 7);
}

TEST(AnswerScores, ExactMatchAndF1MayComeFromDifferentAnswers) {
  EXPECT_EQ(answer_scores("the Moon", Answers{"sun", "moon.", "new moon"}).exact_match, 1);
  EXPECT_EQ(answer_scores("the Moon", Answers{"sun", "moon.", "new moon"}).f1, 1);
  EXPECT_EQ(answer_scores("star", Answers{"sun", "moon"}).f1, 0);
}

TEST(AnswerScores, CountRepeatedWordsOnce) {
  EXPECT_DOUBLE_EQ(answer_scores("b b b", Answers{"b c"}).f1, 2.0 / 5);
  EXPECT_DOUBLE_EQ(answer_scores("b b", Answers{"b b c"}).f1, 4.0 / 5);
}

TEST(AnswerScores, OfAQuestionWithoutAnswer) {
  EXPECT_EQ(answer_scores("", Answers{}).exact_match, 1);
  EXPECT_EQ(answer_scores("", Answers{}).f1, 1);
  EXPECT_EQ(answer_scores("the", Answers{}).f1, 1);
  EXPECT_EQ(answer_scores("x", Answers{}).exact_match, 0);
  EXPECT_EQ(answer_scores("x", Answers{}).f1, 0);
  EXPECT_EQ(answer_scores("", Answers{"x"}).f1, 0);
  EXPECT_EQ(answer_scores("", Answers{"the", "x"}).exact_match, 0) << "an answer without words does not count";
}

TEST(AnswerScores, HaveAMean) {
  const std::vector<AnswerScores> scores{{1, 1}, {0, 0.5}, {0, 0}};
  EXPECT_DOUBLE_EQ(mean(scores).exact_match, 1.0 / 3);
  EXPECT_DOUBLE_EQ(mean(scores).f1, 0.5);
  EXPECT_TRUE(std::isnan(mean({}).f1));
}

TEST(SquadScoresParity, EqualTheEvaluationRulesOnRandomAnswers) {
  if (!python_has("json")) GTEST_SKIP() << python() << " is missing (BERTHA_PYTHON names another)";
  const Answers parts{"the",    "A",      "an",   "The", "cat", "Cat.", "mat", "-",      "–",  "—a",     "'s", "$3",
                      "½",      "\u0301", "ß",    "İ",   "ΣΑΣ", "Σ",    "ΟΣ,", "_",      "a_", "\u00A0", "  ", "\x1F",
                      "\u200B", "\n",     "日本", "。",  "²",   "a²",   "Ⅷ",   "\u2003", "!?", "“a”"};
  RandomStream random(5, "test");
  const auto draw = [&](uint32_t most) {
    std::string answer;
    for (uint32_t count = random.below(most); count > 0; --count) {
      answer += parts[random.below(static_cast<uint32_t>(parts.size()))];
      if (random.below(3) > 0) answer += ' ';
    }
    return answer;
  };
  json cases = json::array();
  for (int i = 0; i < 500; ++i) {
    Answers gold(random.below(4));
    for (std::string& answer : gold) answer = draw(6);
    const bool right = !gold.empty() && random.below(4) == 0;
    cases.push_back({{"gold", gold}, {"predicted", right ? gold[0] + " the" : draw(6)}});
  }
  const json references = reference_scores("squad", cases);
  ASSERT_EQ(references.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].dump());
    const std::string predicted = cases[i]["predicted"];
    const auto scores = answer_scores(predicted, cases[i]["gold"].get<Answers>());
    EXPECT_EQ(normalize_answer(predicted), references[i]["normalized"].get<std::string>());
    expect_score(references[i]["exact_match"], scores.exact_match, "exact match");
    expect_score(references[i]["f1"], scores.f1, "F1");
  }
}

}  // namespace
}  // namespace bertha
