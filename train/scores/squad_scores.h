#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bertha {

/// Of one answer, or the mean of many: from 0 to 1.
struct AnswerScores {
  double exact_match = 0, f1 = 0;
};

/// An answer as it is compared: lowercase, without ASCII punctuation, without the articles a, an and the, words parted
/// by single blanks.
std::string normalize_answer(std::string_view answer);

/// The best agreement of a predicted answer with one of the gold answers. Gold answers of which normalising leaves
/// nothing do not count; where none is left, the question has no answer, and the empty prediction is right.
/// Source: the evaluation script of SQuAD 2.0, Rajpurkar et al. 2018 (arXiv:1806.03822); on SQuAD 1.1 the same as its.
AnswerScores answer_scores(std::string_view predicted, std::span<const std::string> gold);

/// NaN of none.
AnswerScores mean(std::span<const AnswerScores> scores);

}  // namespace bertha
