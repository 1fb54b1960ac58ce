#include "data/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace bertha {
namespace {

constexpr size_t kLongestName = 64;  // beyond that nobody mistypes, and distances take long

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_name(std::string_view unknown, std::span<const std::string_view> names) {
  std::string_view nearest;
  size_t least = kLongestName + 1;
  for (const std::string_view name : names) {
    if (name.empty() || std::max(unknown.size(), name.size()) > kLongestName) continue;
    const size_t distance = edit_distance(unknown, name);
    if (distance > std::max<size_t>(2, name.size() / 3) || distance >= least) continue;
    nearest = name;
    least = distance;
  }
  return nearest;
}

}  // namespace bertha
