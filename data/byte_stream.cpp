#include "data/byte_stream.h"

#include <algorithm>
#include <vector>

namespace bertha {
namespace {

constexpr int64_t kSkipBytes = int64_t{1} << 20;

}  // namespace

void ByteStream::skip(int64_t bytes) {
  std::vector<char> skipped(static_cast<size_t>(std::min(bytes, kSkipBytes)));
  while (bytes > 0) {
    const auto part = std::span(skipped).first(static_cast<size_t>(std::min(bytes, kSkipBytes)));
    if (read(part) < part.size()) return;
    bytes -= std::ssize(part);
  }
}

size_t FileStream::read(std::span<char> out) {
  if (offset_ >= file_.size()) return 0;
  const auto part = out.first(static_cast<size_t>(std::min<uint64_t>(out.size(), file_.size() - offset_)));
  file_.read(offset_, std::as_writable_bytes(part));
  offset_ += part.size();
  return part.size();
}

}  // namespace bertha
