#include "visualize/terminal_text.h"

#include "data/printable.h"
#include "data/utf8.h"

namespace bertha {
std::string fitted(std::string_view text, int64_t width) {
  std::string line = printable(text);
  int64_t length = count_code_points(line);
  if (length <= width) return line + std::string(static_cast<size_t>(width - length), ' ');
  for (; length >= width && !line.empty(); --length) line.erase(0, static_cast<size_t>(decode_utf8(line).bytes));
  return (width > 0 ? "…" : "") + line;
}

}  // namespace bertha
