#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace bertha {

/// The rows of a batch that some head reads, and where each head finds its own among their hidden states.
class HeadRows {
 public:
  void add(std::span<const int32_t> rows) {
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    std::ranges::sort(rows_);
    rows_.erase(std::ranges::unique(rows_).begin(), rows_.end());
  }
  std::span<const int32_t> rows() const { return rows_; }

  std::vector<int32_t> places(std::span<const int32_t> rows) const {
    std::vector<int32_t> result;
    for (const int32_t row : rows) {
      result.push_back(static_cast<int32_t>(std::ranges::lower_bound(rows_, row) - rows_.begin()));
    }
    return result;
  }

 private:
  std::vector<int32_t> rows_;
};

}  // namespace bertha
