#include "data/line_reader.h"

#include <algorithm>
#include <span>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;

}  // namespace

LineReader::LineReader(std::string path, std::unique_ptr<ByteStream> bytes)
    : path_(std::move(path)), bytes_(std::move(bytes)) {}

bool LineReader::next(std::string_view& line) {
  for (size_t searched = rest_;;) {
    const size_t end = buffer_.find('\n', searched);
    if (end != buffer_.npos || ended_) {
      line = std::string_view(buffer_).substr(rest_, end - rest_);
      rest_ = std::min(end, buffer_.size() - 1) + 1;
      ++number_;
      return !line.empty() || end != buffer_.npos;
    }
    buffer_.erase(0, rest_);
    rest_ = 0;
    searched = buffer_.size();
    check<DamagedFileError>(std::ssize(buffer_) <= kMaxLineBytes, path_, ":", number_ + 1, ": more than ",
                            kMaxLineBytes >> 20, " MiB in one line");
    buffer_.resize(searched + kReadBytes);
    const size_t bytes = bytes_->read(std::span(buffer_).subspan(searched));
    buffer_.resize(searched + bytes);
    ended_ = bytes < kReadBytes;
  }
}

}  // namespace bertha
