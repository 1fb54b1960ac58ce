#include "train/scores/squad_scores.h"

#include <algorithm>
#include <map>
#include <vector>

#include "data/unicode.h"
#include "data/utf8.h"

namespace bertha {
namespace {

bool is_ascii_punctuation(char32_t c) {
  return c < 0x80 && character_class(c) == CharacterClass::kPunctuation;
}

bool is_word_character(char32_t c) {
  const PatternClass kind = pattern_class(c);
  return kind == PatternClass::kLetter || kind == PatternClass::kNumber;
}

/// As Python's str.isspace.
bool is_python_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_article(std::string_view word) {
  return word == "a" || word == "an" || word == "the";
}

/// Joins what remains of an answer, with one blank where anything was left out between.
class Joiner {
 public:
  void add(std::string_view part) {
    if (gap_ && !text_.empty() && !part.empty()) text_ += ' ';
    gap_ &= part.empty();
    text_ += part;
  }
  void leave_out() { gap_ = true; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool gap_ = false;
};

std::vector<std::string_view> words_of(std::string_view normalized) {
  std::vector<std::string_view> words;
  while (!normalized.empty()) {
    const size_t end = std::min(normalized.find(' '), normalized.size());
    words.push_back(normalized.substr(0, end));
    normalized.remove_prefix(std::min(end + 1, normalized.size()));
  }
  return words;
}

/// The harmonic mean of how much of the prediction is gold, and of the gold predicted, in words.
double word_f1(std::string_view predicted, std::string_view gold) {
  const std::vector<std::string_view> predicted_words = words_of(predicted), gold_words = words_of(gold);
  if (predicted_words.empty() || gold_words.empty()) return predicted_words.empty() && gold_words.empty();
  std::map<std::string_view, int64_t> left;
  for (const std::string_view word : gold_words) ++left[word];
  int64_t common = 0;
  for (const std::string_view word : predicted_words) common += left[word]-- > 0;
  return 2 * static_cast<double>(common) / static_cast<double>(predicted_words.size() + gold_words.size());
}

}  // namespace

std::string normalize_answer(std::string_view answer) {
  const std::string lower = lowercase(answer);
  Joiner result;
  std::string run;  // of letters and digits
  const auto end_run = [&] {
    if (is_article(run)) {
      result.leave_out();
    } else {
      result.add(run);
    }
    run.clear();
  };
  for (std::string_view rest = lower; !rest.empty();) {
    const CodePoint next = decode_utf8(rest);
    const std::string_view character = rest.substr(0, static_cast<size_t>(next.bytes));
    rest.remove_prefix(character.size());
    if (is_ascii_punctuation(next.value)) continue;
    if (is_word_character(next.value)) {
      run += character;
      continue;
    }
    end_run();
    if (is_python_space(next.value)) {
      result.leave_out();
    } else {
      result.add(character);
    }
  }
  end_run();
  return result.take();
}

AnswerScores answer_scores(std::string_view predicted, std::span<const std::string> gold) {
  std::vector<std::string> answers;
  for (const std::string& answer : gold) answers.push_back(normalize_answer(answer));
  std::erase(answers, "");
  if (answers.empty()) answers.emplace_back();
  const std::string normalized = normalize_answer(predicted);
  AnswerScores best;
  for (const std::string& answer : answers) {
    best.exact_match = std::max(best.exact_match, normalized == answer ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, word_f1(normalized, answer));
  }
  return best;
}

AnswerScores mean(std::span<const AnswerScores> scores) {
  AnswerScores sum;
  for (const AnswerScores& one : scores) {
    sum.exact_match += one.exact_match;
    sum.f1 += one.f1;
  }
  const auto count = static_cast<double>(scores.size());
  return {sum.exact_match / count, sum.f1 / count};
}

}  // namespace bertha
