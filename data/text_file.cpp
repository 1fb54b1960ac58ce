#include "data/text_file.h"

#include <vector>

#include "data/file.h"
#include "data/gzip_stream.h"
#include "data/json_lines.h"

namespace bertha {
namespace {

constexpr std::string_view kGzip = ".gz";
constexpr size_t kReadBytes = size_t{256} << 10;

bool is_compressed(std::string_view path) {
  return path.ends_with(kGzip);
}

}  // namespace

bool holds_json_lines(std::string_view path) {
  if (is_compressed(path)) path.remove_suffix(kGzip.size());
  return path.ends_with(".jsonl");
}

std::unique_ptr<ByteStream> open_bytes(const std::string& path) {
  if (is_compressed(path)) return std::make_unique<GzipStream>(path);
  return std::make_unique<FileStream>(path);
}

std::unique_ptr<ByteStream> open_text(const std::string& path) {
  std::unique_ptr<ByteStream> bytes = open_bytes(path);
  if (!holds_json_lines(path)) return bytes;
  return std::make_unique<JsonLines>(path, std::move(bytes));
}

int64_t text_bytes(const std::string& path) {
  const auto stored = static_cast<int64_t>(InputFile(path).size());
  if (!is_compressed(path) && !holds_json_lines(path)) return stored;
  const std::unique_ptr<ByteStream> text = open_text(path);
  std::vector<char> buffer(kReadBytes);
  int64_t total = 0;
  for (size_t bytes = kReadBytes; bytes == kReadBytes; total += static_cast<int64_t>(bytes)) bytes = text->read(buffer);
  return total;
}

}  // namespace bertha
