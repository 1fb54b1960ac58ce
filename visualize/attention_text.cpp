#include "visualize/attention_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bertha {
namespace {

constexpr int64_t kLabelWidth = 16, kNarrowestCells = 10;
constexpr std::string_view kLevels[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

constexpr std::string_view kPlain = "\033[0m", kBold = "\033[1m", kFaint = "\033[2m", kCyan = "\033[36m";

class MatrixText {
 public:
  MatrixText(std::span<const std::string> tokens, std::span<const double> weights, const MatrixLayout& layout)
      : tokens_(tokens),
        weights_(weights),
        n_(std::ssize(tokens)),
        largest_(std::ranges::max(weights)),
        color_(layout.color),
        number_width_(std::ssize(std::to_string(n_ - 1))) {
    const int64_t answer = number_width_ + kLabelWidth + 12;
    const int64_t room = layout.width - number_width_ - kLabelWidth - 2 - answer;
    cell_width_ = 2 * n_ <= room ? 2 : 1;
    keys_ = std::max(room / cell_width_, kNarrowestCells);
    if (keys_ < n_) keys_ -= keys_ % 10;
  }

  std::string text() && {
    for (int64_t first = 0; first < n_; first += keys_) {
      if (first > 0) out_ += '\n';
      add_part(first, std::min(n_, first + keys_));
    }
    out_ += fmt::format("\nA line is a query, a column a key. {} is a weight of {:.4f}, {} one below {:.4f}.\n",
                        kLevels[8], largest_, kLevels[0], largest_ / 16);
    return std::move(out_);
  }

 private:
  void styled(std::string_view style, std::string_view text) {
    if (color_ == TerminalColors::kOn) out_ += style;
    out_ += text;
    if (color_ == TerminalColors::kOn) out_ += kPlain;
  }

  double weight(int64_t query, int64_t key) const { return weights_[static_cast<size_t>(query * n_ + key)]; }
  int64_t strongest(int64_t query) const {
    const auto row = weights_.subspan(static_cast<size_t>(query * n_), static_cast<size_t>(n_));
    return std::ranges::max_element(row) - row.begin();
  }

  void add_part(int64_t first, int64_t last) {
    add_header(first, last);
    for (int64_t query = 0; query < n_; ++query) add_query(query, first, last);
  }

  // Tens above ones.
  void add_header(int64_t first, int64_t last) {
    std::string tens(static_cast<size_t>((last - first) * cell_width_ + number_width_), ' '), ones;
    for (int64_t key = first; key < last; ++key) {
      const std::string number = std::to_string(key);
      if (key % 10 == 0) tens.replace(static_cast<size_t>((key - first) * cell_width_), number.size(), number);
      ones.append(1, number.back()).append(static_cast<size_t>(cell_width_ - 1), ' ');
    }
    const std::string margin(static_cast<size_t>(number_width_ + kLabelWidth + 2), ' ');
    tens.erase(tens.find_last_not_of(' ') + 1);
    styled(kFaint, tens.empty() ? "" : margin + tens + "\n");
    styled(kFaint, margin + ones + "\n");
  }

  void add_query(int64_t query, int64_t first, int64_t last) {
    out_ += fmt::format("{:>{}} {} ", query, number_width_,
                        fitted(tokens_[static_cast<size_t>(query)], kLabelWidth, Cut::kEnd));
    const int64_t answer = strongest(query);
    for (int64_t key = first; key < last; ++key) add_cell(weight(query, key), key == answer ? kBold : kCyan);
    out_ += fmt::format(" → {:>{}} {} {:.4f}\n", answer, number_width_,
                        fitted(tokens_[static_cast<size_t>(answer)], kLabelWidth, Cut::kEnd), weight(query, answer));
  }

  void add_cell(double weight, std::string_view style) {
    const auto level = static_cast<size_t>(std::lround(8 * weight / largest_));
    std::string cell(kLevels[level]);
    if (cell_width_ == 2) cell += level == 0 ? " " : kLevels[level];
    styled(level == 0 ? kFaint : style, cell);
  }

  std::span<const std::string> tokens_;
  std::span<const double> weights_;
  int64_t n_;
  double largest_;
  TerminalColors color_;
  int64_t number_width_, cell_width_ = 1, keys_ = 0;
  std::string out_;
};

}  // namespace

std::string attention_text(std::span<const std::string> tokens, std::span<const double> weights,
                           const MatrixLayout& layout) {
  return MatrixText(tokens, weights, layout).text();
}

}  // namespace bertha
