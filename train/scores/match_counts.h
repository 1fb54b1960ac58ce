#pragma once

#include <cstdint>

namespace bertha {

/// What there is of a kind in the gold standard, what was predicted, and how much of that is right.
struct MatchCounts {
  int64_t gold = 0, predicted = 0, correct = 0;

  /// All of these are 0 where there is nothing to divide by, as scikit-learn and seqeval have it.
  double precision() const { return ratio(correct, predicted); }
  double recall() const { return ratio(correct, gold); }
  double f1() const { return ratio(2 * correct, gold + predicted); }

  MatchCounts& operator+=(const MatchCounts& other) {
    gold += other.gold;
    predicted += other.predicted;
    correct += other.correct;
    return *this;
  }

 private:
  static double ratio(int64_t part, int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

}  // namespace bertha
