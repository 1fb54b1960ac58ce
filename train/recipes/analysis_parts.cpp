#include "train/recipes/analysis_parts.h"

#include "train/recipes/excerpt.h"

namespace bertha {
namespace {

constexpr int32_t kLongestShownLabel = 200;

std::string beginning(std::string_view text, int32_t most) {
  return excerpt(text, std::nullopt, std::nullopt, most).text;
}

}  // namespace

void Mistakes::move_to(TaskAnalysis& analysis) {
  analysis.mistakes_found = found_;
  analysis.mistakes = std::move(kept_);
  analysis.kinds.assign(kinds_.begin(), kinds_.end());
}

void Confusion::move_to(std::span<const std::string> labels, TaskAnalysis& analysis) {
  std::vector<std::pair<std::pair<std::string, std::string>, int64_t>> pairs(counts_.begin(), counts_.end());
  std::ranges::stable_sort(pairs, std::ranges::greater{}, [](const auto& pair) { return pair.second; });
  if (pairs.size() > kMostCells) pairs.resize(kMostCells);
  std::map<std::string, int32_t> places;
  for (const auto& [both, count] : pairs) places[both.first] = places[both.second] = -1;
  for (const std::string& label : labels) {
    const auto place = places.find(label);
    if (place == places.end() || place->second >= 0) continue;
    place->second = static_cast<int32_t>(analysis.labels.size());
    analysis.labels.push_back(shown_label(label));
  }
  for (const auto& [both, count] : pairs) {
    analysis.confusion.push_back({places.at(both.first), places.at(both.second), count});
  }
  std::ranges::sort(analysis.confusion, {}, [](const auto& cell) { return std::pair(cell.gold, cell.predicted); });
}

std::string shown_text(std::string_view text) {
  return beginning(text, kLongestShownText);
}

std::string shown_label(std::string_view label) {
  return beginning(label, kLongestShownLabel);
}

TaskAnalysis::Table analysis_table(std::string of, std::span<const std::string> names,
                                   std::span<const MatchCounts> counts) {
  TaskAnalysis::Table table{std::move(of), {}};
  for (size_t i = 0; i < names.size(); ++i) table.rows.emplace_back(shown_label(names[i]), counts[i]);
  if (table.rows.size() <= kMostTableRows) return table;
  std::ranges::stable_sort(table.rows, std::ranges::greater{}, [](const auto& row) { return row.second.gold; });
  table.rows.resize(kMostTableRows);
  return table;
}

}  // namespace bertha
