#include "data/text_blocks.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>

#include "autograd/core/error.h"
#include "data/text_file.h"

namespace bertha {
namespace {

constexpr size_t kMaxBytesWithoutBlank = size_t{64} << 20;

}  // namespace

TextBlocks::TextBlocks(std::vector<std::string> files, size_t block_bytes)
    : files_(std::move(files)), block_bytes_(block_bytes) {
  for (const std::string& path : files_) {
    const bool readable = ::access(path.c_str(), R_OK) == 0;
    check<ConfigError>(readable, path, ": cannot be read: ", std::strerror(errno));
    check<ConfigError>(!std::filesystem::is_directory(path), path, ": is a directory (expected a text file)");
  }
}

void TextBlocks::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

bool TextBlocks::next(TextBlock& block) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return false;
  block.number = next_number_++;
  for (;;) {
    if (!text_) {
      if (next_file_ == files_.size()) return false;
      open_next_file();
    }
    block.path = files_[next_file_ - 1];
    block.offset = offset_;
    fill(block.text);
    if (!block.text.empty()) return true;
    text_.reset();
  }
}

void TextBlocks::open_next_file() {
  const std::string& path = files_[next_file_++];
  text_ = open_text(path);
  offset_ = 0;
}

void TextBlocks::fill(std::string& text) {
  text = rest_;
  rest_.clear();
  for (;;) {
    const size_t have = text.size();
    text.resize(have + block_bytes_);
    const size_t got = text_->read(std::span(text).subspan(have));
    text.resize(have + got);
    if (got < block_bytes_) break;
    // What was there before has no blank: it is what came behind the last one.
    const size_t blank = std::string_view(text).substr(have).find_last_of("\n ");
    if (blank != std::string_view::npos) {
      rest_.assign(text, have + blank + 1);
      text.resize(have + blank + 1);
      break;
    }
    check<DamagedFileError>(text.size() < kMaxBytesWithoutBlank, files_[next_file_ - 1],
                            ": no blank or line end in the ", text.size(), " bytes from byte ", offset_,
                            " (expected text)");
  }
  offset_ += static_cast<int64_t>(text.size());
}

}  // namespace bertha
