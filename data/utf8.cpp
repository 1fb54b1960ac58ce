#include "data/utf8.h"

#include <algorithm>
#include <cstring>

#include "autograd/core/error.h"

namespace bertha {

namespace {

/// How many bytes at the front, at least one, begin a character that what follows does not complete.
size_t broken_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const size_t length = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : 1;
  size_t bytes = 1;
  while (bytes < std::min(length, text.size()) && (byte(bytes) & 0xC0) == 0x80) {
    const bool overlong = bytes == 1 && ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90));
    const bool outside = bytes == 1 && ((lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90));
    if (overlong || outside) break;
    ++bytes;
  }
  return bytes;
}

}  // namespace

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

std::string repaired_utf8(std::string_view text) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string repaired;
  for (size_t at = find_invalid_utf8(text); at != text.npos; at = find_invalid_utf8(text)) {
    repaired.append(text.substr(0, at));
    append_utf8(kReplacement, repaired);
    text.remove_prefix(at + broken_bytes(text.substr(at)));
  }
  return repaired.append(text);
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
