#include "data/text_blocks.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr size_t kMaxBytesWithoutBlank = size_t{64} << 20;

}  // namespace

TextBlocks::TextBlocks(std::vector<std::string> files, size_t block_bytes)
    : files_(std::move(files)), block_bytes_(block_bytes) {
  for (const std::string& path : files_) {
    check<ConfigError>(::access(path.c_str(), R_OK) == 0, path, ": cannot be read: ", std::strerror(errno));
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
    if (!file_) {
      if (next_file_ == files_.size()) return false;
      open_next_file();
    }
    block.path = files_[next_file_ - 1];
    block.offset = offset_;
    fill(block.text);
    if (!block.text.empty()) return true;
    file_.reset();
  }
}

void TextBlocks::open_next_file() {
  const std::string& path = files_[next_file_++];
  file_.reset(std::fopen(path.c_str(), "rb"));
  check<Error>(file_ != nullptr, path, ": cannot be opened: ", std::strerror(errno));
  offset_ = 0;
}

void TextBlocks::fill(std::string& text) {
  text = std::move(rest_);
  rest_.clear();
  for (;;) {
    const size_t have = text.size();
    text.resize(have + block_bytes_);
    const size_t got = std::fread(text.data() + have, 1, block_bytes_, file_.get());
    text.resize(have + got);
    const std::string& path = files_[next_file_ - 1];
    check<Error>(std::ferror(file_.get()) == 0, path, ": cannot be read: ", std::strerror(errno));
    if (got < block_bytes_) break;
    // What was there before has no blank: it is what came behind the last one.
    const size_t blank = std::string_view(text).substr(have).find_last_of("\n ");
    if (blank != std::string_view::npos) {
      rest_ = text.substr(have + blank + 1);
      text.resize(have + blank + 1);
      break;
    }
    check<DamagedFileError>(text.size() < kMaxBytesWithoutBlank, path, ": no blank or line end in the ", text.size(),
                            " bytes from byte ", offset_, " (expected text)");
  }
  offset_ += static_cast<int64_t>(text.size());
}

}  // namespace bertha
