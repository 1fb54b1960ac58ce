#include "data/byte_alphabet.h"

#include "data/utf8.h"

namespace bertha {
namespace {

constexpr char32_t kFirstStandIn = 0x100;

/// Blanks and controls have stand-ins, numbered in their order: 0 to 32, 127 to 160 and 173.
constexpr char32_t character_of(unsigned char byte) {
  if (byte <= 32) return kFirstStandIn + byte;
  if (byte >= 127 && byte <= 160) return kFirstStandIn + 33 + (byte - 127u);
  return byte == 173 ? kFirstStandIn + 67 : byte;
}

/// The byte that a character stands for; -1 where it stands for none.
constexpr int byte_of(char32_t character) {
  if (character >= kFirstStandIn + 68) return -1;
  if (character == kFirstStandIn + 67) return 173;
  if (character >= kFirstStandIn + 33) return static_cast<int>(character - kFirstStandIn - 33 + 127);
  if (character >= kFirstStandIn) return static_cast<int>(character - kFirstStandIn);
  const int byte = static_cast<int>(character);
  return character_of(static_cast<unsigned char>(byte)) == character ? byte : -1;
}

}  // namespace

std::string written_bytes(std::string_view bytes) {
  std::string written;
  for (const char byte : bytes) append_utf8(character_of(static_cast<unsigned char>(byte)), written);
  return written;
}

void append_read_bytes(std::string_view written, std::string& bytes) {
  const size_t before = bytes.size();
  for (size_t at = 0; at < written.size();) {
    const CodePoint next = decode_utf8(written.substr(at, 4));
    const int byte = next.bytes > 0 ? byte_of(next.value) : -1;
    if (byte < 0) {
      bytes.resize(before);
      bytes.append(written);
      return;
    }
    bytes.push_back(static_cast<char>(byte));
    at += static_cast<size_t>(next.bytes);
  }
}

}  // namespace bertha
