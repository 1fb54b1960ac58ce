#include "data/corpus.h"

#include <algorithm>
#include <optional>
#include <span>

#include "autograd/core/error.h"
#include "data/text_file.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";
constexpr std::string_view kFileEnd = "\n\n";

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Where a block may begin inside a window.
struct Cut {
  int64_t offset;
  bool inside_document;
};

/// After the first whole line of the window that is blank.
std::optional<size_t> after_blank_line(std::string_view window) {
  size_t end = window.find('\n');
  while (end != window.npos) {
    const size_t begin = end + 1;
    end = window.find('\n', begin);
    if (end != window.npos && is_blank(window.substr(begin, end - begin))) return end + 1;
  }
  return std::nullopt;
}

/// After the first line end that is not the end of a blank line, as far as the window shows it.
std::optional<size_t> after_line(std::string_view window) {
  size_t begin = 0;
  for (size_t end = window.find('\n'); end != window.npos; end = window.find('\n', begin)) {
    if (!is_blank(window.substr(begin, end - begin))) return end + 1;
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<size_t> after_blank(std::string_view window) {
  const size_t blank = window.find_first_of(kBlanks, window.rfind('\n') + 1);  // npos + 1 is 0
  return blank == window.npos ? std::nullopt : std::optional(blank + 1);
}

size_t first_character(std::string_view window) {
  size_t offset = 0;
  while (offset < window.size() && is_continuation(window[offset])) ++offset;
  return offset;
}

Cut find_cut(std::string_view window) {
  if (const auto offset = after_blank_line(window)) return {static_cast<int64_t>(*offset), false};
  if (const auto offset = after_line(window)) return {static_cast<int64_t>(*offset), true};
  if (const auto offset = after_blank(window)) return {static_cast<int64_t>(*offset), true};
  return {static_cast<int64_t>(first_character(window)), true};
}

}  // namespace

Corpus::Corpus(std::vector<std::string> files, int64_t block_bytes)
    : files_(std::move(files)), block_bytes_(block_bytes) {
  begins_.push_back(0);
  for (const std::string& path : files_) {
    const int64_t size = text_bytes(path);
    bytes_ += size;
    begins_.push_back(begins_.back() + size + std::ssize(kFileEnd));
  }
  check<ConfigError>(bytes_ > 0, "corpus: ", files_.size(), " file(s) without any text",
                     files_.empty() ? "" : ", the first is " + files_.front());
  blocks_ = std::max<int64_t>(1, begins_.back() / block_bytes_);
}

void CorpusReader::read(int64_t index, CorpusBlock& block) {
  const int64_t size = corpus_.block_bytes_;
  const bool last = index + 1 == corpus_.blocks_;
  move_window(index * size, last ? corpus_.begins_.back() : (index + 2) * size);
  const std::string_view text = window_;

  const Cut begin = index == 0 ? Cut{0, false} : find_cut(text.substr(0, size));
  const int64_t end = last ? std::ssize(text) : size + find_cut(text.substr(size)).offset;
  block.text = text.substr(begin.offset, end - begin.offset);
  block.continues_document = begin.inside_document;
  check_valid(block.text, window_begin_ + begin.offset);
}

void CorpusReader::move_window(int64_t begin, int64_t end) {
  check<Error>(begin >= window_begin_, "corpus: read backwards, from byte ", window_begin_, " to ", begin);
  window_.erase(0, begin - window_begin_);
  window_begin_ = begin;
  int64_t at = begin + std::ssize(window_);
  window_.resize(end - begin, '\n');  // which stays where files end
  const std::span<char> window(window_);
  const std::vector<int64_t>& begins = corpus_.begins_;
  auto file = static_cast<size_t>(std::ranges::upper_bound(begins, at) - begins.begin() - 1);
  for (; at < end; at = begins[++file]) {
    const int64_t part_end = std::min(end, begins[file + 1] - std::ssize(kFileEnd));
    if (at < part_end) read_file(file, at - begins[file], window.subspan(at - begin, part_end - at));
  }
}

void CorpusReader::read_file(size_t file, int64_t offset, std::span<char> out) {
  const std::string& path = corpus_.files_[file];
  if (!stream_ || stream_file_ != file) {
    stream_ = open_text(path);
    stream_file_ = file;
    stream_offset_ = 0;
  }
  if (offset > stream_offset_) stream_->skip(offset - stream_offset_);
  const size_t bytes = stream_->read(out);
  check<Error>(bytes == out.size(), path, ": ends at byte ", offset + static_cast<int64_t>(bytes), ", it had ",
               corpus_.begins_[file + 1] - std::ssize(kFileEnd) - corpus_.begins_[file], " bytes when it was opened");
  stream_offset_ = offset + static_cast<int64_t>(bytes);
}

void CorpusReader::check_valid(std::string_view text, int64_t begin) const {
  const size_t invalid = find_invalid_utf8(text);
  if (invalid == text.npos) return;
  const std::vector<int64_t>& begins = corpus_.begins_;
  const int64_t offset = begin + static_cast<int64_t>(invalid);
  const auto file = std::ranges::upper_bound(begins, offset) - begins.begin() - 1;
  fail_utf8(corpus_.files_[file], offset - begins[file], text[invalid]);
}

bool has_several_documents(const Corpus& corpus) {
  CorpusReader reader(corpus);
  CorpusBlock block;
  int64_t documents = 0;
  for (int64_t index = 0; index < corpus.blocks() && documents < 2; ++index) {
    reader.read(index, block);
    for_each_line(block, [&](const TextLine& line) { documents += line.starts_document; });
  }
  return documents >= 2;
}

}  // namespace bertha
