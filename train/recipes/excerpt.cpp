#include "train/recipes/excerpt.h"

#include <algorithm>

#include "data/utf8.h"
#include "train/recipes/task_predictions.h"

namespace bertha {
namespace {

constexpr std::string_view kLeftOut = "...";

std::optional<CodePoints> moved(std::optional<CodePoints> place, CodePoints kept, int32_t by) {
  if (!place || place->end <= kept.begin || place->begin >= kept.end) return std::nullopt;
  return CodePoints{std::max(place->begin, kept.begin) + by, std::min(place->end, kept.end) + by};
}

// What to keep of `size` code points.
CodePoints kept_of(int32_t size, std::optional<CodePoints> gold, std::optional<CodePoints> predicted, int32_t most) {
  if (size <= most) return {0, size};
  if (!gold && !predicted) return {0, most};
  const CodePoints one = gold ? *gold : *predicted;
  const CodePoints other = predicted ? *predicted : *gold;
  const int32_t first = std::min(one.begin, other.begin);
  const int32_t last = std::max(one.end, other.end);
  const int32_t margin = std::max(0, most - (last - first)) / 2;
  const int32_t begin = std::clamp(first - margin, 0, size - most);
  return {begin, begin + most};
}

}  // namespace

Excerpt excerpt(std::string_view text, std::optional<CodePoints> gold, std::optional<CodePoints> predicted,
                int32_t most) {
  const auto size = static_cast<int32_t>(count_code_points(text));
  const CodePoints kept = kept_of(size, gold, predicted, most);
  Excerpt result;
  if (kept.begin > 0) result.text = kLeftOut;
  const auto by = static_cast<int32_t>(result.text.size()) - kept.begin;
  result.text += text_at(text, kept);
  if (kept.end < size) result.text += kLeftOut;
  result.gold = moved(gold, kept, by);
  result.predicted = moved(predicted, kept, by);
  return result;
}

}  // namespace bertha
