#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/recipes/task_analysis.h"

namespace bertha {

/// The mistakes of the highest scores, and how many there are of each kind.
class Mistakes {
 public:
  /// Keeps what `make` returns if it is one of them. An empty kind is not counted by itself.
  template <class F>
  void add(std::string_view kind, double score, F&& make) {
    ++found_;
    if (!kind.empty()) ++kinds_[std::string(kind)];
    const double known = std::isfinite(score) ? score : 0;
    if (kept_.size() == kMostMistakes && known <= kept_.back().score) return;
    TaskAnalysis::Mistake mistake = make();
    mistake.kind = kind;
    mistake.score = known;
    const auto place = std::ranges::upper_bound(kept_, known, std::ranges::greater{}, &TaskAnalysis::Mistake::score);
    kept_.insert(place, std::move(mistake));
    if (kept_.size() > kMostMistakes) kept_.pop_back();
  }

  void move_to(TaskAnalysis& analysis);

 private:
  int64_t found_ = 0;
  std::map<std::string, int64_t> kinds_;
  std::vector<TaskAnalysis::Mistake> kept_;
};

/// Which label was taken for which, how often.
class Confusion {
 public:
  void add(const std::string& gold, const std::string& predicted, int64_t count) {
    if (count > 0) counts_[{gold, predicted}] += count;
  }

  /// The most frequent pairs, and the labels that they need, in the order of `labels`, which has them all.
  void move_to(std::span<const std::string> labels, TaskAnalysis& analysis);

 private:
  std::map<std::pair<std::string, std::string>, int64_t> counts_;
};

/// A text that is as long as a page shows it.
std::string shown_text(std::string_view text);
/// Likewise the name of a label.
std::string shown_label(std::string_view label);
inline constexpr int32_t kLongestShownText = 1000;  // code points

/// Rows of names with their counts; of very many those of the most support.
TaskAnalysis::Table analysis_table(std::string of, std::span<const std::string> names,
                                   std::span<const MatchCounts> counts);

}  // namespace bertha
