#include "train/metrics_reader.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "data/file.h"

namespace bertha {
namespace {

constexpr uint64_t kPiece = 1 << 20;      // of a file, that is read at once
constexpr size_t kLongestLine = 1 << 14;  // what is longer is no line of metrics
constexpr size_t kRemembered = 512;       // bytes by which a file is known again

std::string bytes_at(const InputFile& file, uint64_t begin, uint64_t size) {
  std::string text(size, '\0');
  file.read(begin, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

MetricsReader::MetricsReader(const std::string& directory) : path_(directory + "/" + std::string(kMetricsName)) {}

bool MetricsReader::was_cut() const {
  if (begin_ == 0) return false;
  if (!path_exists(path_)) return true;
  const InputFile file(path_);
  return file.size() < begin_ || bytes_at(file, begin_ - before_.size(), before_.size()) != before_;
}

void MetricsReader::read(const Use& use) {
  torn_ = false;
  if (!path_exists(path_)) return;
  const InputFile file(path_);
  while (begin_ < file.size() && !torn_) {
    const std::string piece = bytes_at(file, begin_, std::min(kPiece, file.size() - begin_));
    const size_t taken = take_lines(piece, use);
    begin_ += taken;
    if (taken > 0) before_ = piece.substr(taken - std::min(taken, kRemembered), std::min(taken, kRemembered));
    torn_ = taken < piece.size() && begin_ + piece.size() - taken == file.size();
  }
  torn_ = torn_ || within_line_;
}

// Takes whole lines, and of one that is too long all there is; says how many bytes those are.
size_t MetricsReader::take_lines(std::string_view text, const Use& use) {
  size_t taken = 0;
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n', taken)) {
    const std::string_view line = text.substr(taken, end - taken);
    line_end_ = begin_ + end + 1;
    if (std::exchange(within_line_, false) || line.size() > kLongestLine) {
      ++damaged_;
    } else {
      take_line(line, use);
    }
    taken = end + 1;
  }
  if (!within_line_ && text.size() - taken <= kLongestLine) return taken;
  within_line_ = true;
  return text.size();
}

void MetricsReader::take_line(std::string_view text, const Use& use) {
  const auto line = parse_metrics_line(text);
  const bool taken = line && is_in_order(*line);
  ++(taken ? lines_ : damaged_);
  if (taken) use(*line);
}

// Training and evaluations go on with a later step than those before.
bool MetricsReader::is_in_order(const MetricsLine& line) {
  if (line.step < 0) return false;
  Place* place = line.phase == "train" ? &training_ : line.phase == "evaluation" ? &evaluation_ : nullptr;
  if (!place) return true;
  const bool last_was_ahead = line.step < place->last && line.step > place->before;
  if (line.step <= place->last && !last_was_ahead) return false;
  if (!last_was_ahead) place->before = place->last;
  place->last = line.step;
  return true;
}

void for_each_metrics_line(const std::string& directory, std::string_view phase, int64_t step,
                           const std::function<void(const MetricsLine& line)>& use) {
  MetricsReader(directory).read([&](const MetricsLine& line) {
    if (line.phase == phase && line.step <= step) use(line);
  });
}

std::vector<std::pair<int64_t, double>> evaluation_history(const std::string& directory, const std::string& metric,
                                                           int64_t step) {
  std::vector<std::pair<int64_t, double>> history;
  for_each_metrics_line(directory, "evaluation", step, [&](const MetricsLine& line) {
    if (const auto value = line.find(metric)) history.emplace_back(line.step, *value);
  });
  return history;
}

}  // namespace bertha
