#include "data/corpus.h"

#include <optional>
#include <span>

#include "autograd/core/error.h"
#include "data/file.h"
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

bool is_blank(std::string_view line) {
  return line.find_first_not_of(kBlanks) == line.npos;
}

Corpus::Corpus(std::vector<std::string> files, int64_t block_bytes)
    : files_(std::move(files)), block_bytes_(block_bytes) {
  begins_.push_back(0);
  for (const std::string& path : files_) {
    const int64_t size = RandomAccessFile(path).size();
    bytes_ += size;
    begins_.push_back(begins_.back() + size + static_cast<int64_t>(kFileEnd.size()));
  }
  check<ConfigError>(bytes_ > 0, "corpus: ", files_.size(), " file(s) without any text",
                     files_.empty() ? "" : ", the first is " + files_.front());
  blocks_ = std::max<int64_t>(1, begins_.back() / block_bytes_);
}

std::string Corpus::read(int64_t begin, int64_t end) const {
  std::string text(static_cast<size_t>(end - begin), '\n');
  const std::span<std::byte> out = std::as_writable_bytes(std::span(text));
  auto file = static_cast<size_t>(std::ranges::upper_bound(begins_, begin) - begins_.begin() - 1);
  for (; file < files_.size() && begins_[file] < end; ++file) {
    const int64_t file_end = begins_[file + 1] - static_cast<int64_t>(kFileEnd.size());
    const int64_t from = std::max(begin, begins_[file]);
    const int64_t to = std::min(end, file_end);
    if (from >= to) continue;
    RandomAccessFile(files_[file]).read(from - begins_[file], out.subspan(from - begin, to - from));
  }
  return text;
}

void Corpus::check_valid(std::string_view text, int64_t begin) const {
  const size_t invalid = find_invalid_utf8(text);
  if (invalid == text.npos) return;
  const int64_t offset = begin + static_cast<int64_t>(invalid);
  const auto file = std::ranges::upper_bound(begins_, offset) - begins_.begin() - 1;
  fail_utf8(files_[file], offset - begins_[file], text[invalid]);
}

CorpusBlock Corpus::block(int64_t index) const {
  const bool last = index + 1 == blocks_;
  const int64_t window = index * block_bytes_;
  CorpusBlock block{read(window, last ? begins_.back() : window + 2 * block_bytes_), false};
  const std::string_view text = block.text;

  const Cut begin = index == 0 ? Cut{0, false} : find_cut(text.substr(0, block_bytes_));
  const int64_t end = last ? std::ssize(text) : block_bytes_ + find_cut(text.substr(block_bytes_)).offset;
  check_valid(text.substr(begin.offset, end - begin.offset), window + begin.offset);
  block.text.resize(end);
  block.text.erase(0, begin.offset);
  block.continues_document = begin.inside_document;
  return block;
}

bool Corpus::has_several_documents() const {
  int64_t documents = 0;
  for (int64_t index = 0; index < blocks_ && documents < 2; ++index) {
    for_each_line(block(index), [&](const TextLine& line) { documents += line.starts_document; });
  }
  return documents >= 2;
}

}  // namespace bertha
