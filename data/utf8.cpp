#include "data/utf8.h"

#include <algorithm>
#include <cstring>

#include "autograd/core/error.h"

namespace bertha {

void append_utf8(char32_t code_point, std::string& text) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto put_tail = [&](int shift) { put(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put_tail(6);
  } else {
    put(0xF0 | code_point >> 18);
    put_tail(12);
    put_tail(6);
  }
  put_tail(0);
}

int64_t count_code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

size_t find_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    uint64_t eight;
    if (at + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const int bytes = decode_utf8(text.substr(at, 4)).bytes;
    if (bytes == 0) return at;
    at += static_cast<size_t>(bytes);
  }
  return std::string_view::npos;
}

void check_utf8(std::string_view text, std::string_view where, int64_t first_byte) {
  const size_t at = find_invalid_utf8(text);
  if (at != std::string_view::npos) fail_utf8(where, first_byte + static_cast<int64_t>(at), text[at]);
}

void fail_utf8(std::string_view where, int64_t position, char byte) {
  fail<DamagedFileError>(where, ": byte ", position, " (value ", int{static_cast<unsigned char>(byte)},
                         ") is not UTF-8");
}

}  // namespace bertha
