#include "visualize/terminal_text.h"

#include "data/printable.h"
#include "data/unicode.h"
#include "data/utf8.h"

namespace bertha {
namespace {

// Bytes of the last character.
size_t last_size(std::string_view text) {
  size_t size = 1;
  while (size < text.size() && (text[text.size() - size] & 0xC0) == 0x80) ++size;
  return size;
}

}  // namespace

std::string fitted(std::string_view text, int64_t width, Cut cut) {
  std::string line = printable(text);
  int64_t taken = display_width(line);
  if (taken > width) {
    while (taken >= width && !line.empty()) {
      const size_t size = cut == Cut::kEnd ? last_size(line) : static_cast<size_t>(decode_utf8(line).bytes);
      const size_t at = cut == Cut::kEnd ? line.size() - size : 0;
      taken -= display_width(std::string_view(line).substr(at, size));
      line.erase(at, size);
    }
    if (width > 0) line.insert(cut == Cut::kEnd ? line.size() : 0, "…");
    ++taken;
  }
  return taken < width ? line + std::string(static_cast<size_t>(width - taken), ' ') : line;
}

uint8_t braille_dot(int64_t across, int64_t down) {
  constexpr uint8_t kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  return kBits[down][across];
}

}  // namespace bertha
