#include "data/tasks/utf8_lines.h"

#include "data/text_file.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Utf8Lines::Utf8Lines(const std::string& path) : reader_(path, open_bytes(path)) {}

bool Utf8Lines::next(std::string_view& line) {
  if (!reader_.next(line)) return false;
  if (number() == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  const size_t invalid = find_invalid_utf8(line);
  if (invalid != line.npos)
    fail_utf8(path() + ":" + std::to_string(number()), static_cast<int64_t>(invalid), line[invalid]);
  const size_t zero = line.find('\0');
  if (zero != line.npos) refuse(number(), "byte ", zero, " is zero");
  return true;
}

}  // namespace bertha
