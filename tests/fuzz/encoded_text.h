#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "data/tokenizer.h"
#include "data/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {

/// Encodes what an input holds: a byte of options, then a text, and behind a zero byte, where there is one, its pair.
inline void encode_input(const Tokenizer& tokenizer, std::string_view input) {
  if (input.empty()) return;
  const auto first = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  EncodeOptions options;
  options.max_length = first & 0x0F;
  options.stride = first >> 4 & 0x03;
  options.truncation = static_cast<Truncation>((first >> 6) % 3);
  const size_t zero = input.find('\0');
  const std::string_view text = input.substr(0, zero);
  const auto pair = zero == input.npos ? std::nullopt : std::optional(input.substr(zero + 1));

  const Encoding encoding = tokenizer.encode(text, pair, options);
  const int64_t longest = std::max(count_code_points(text), pair ? count_code_points(*pair) : 0);
  require(encoding.type_ids.size() == encoding.ids.size() && encoding.offsets.size() == encoding.ids.size(),
          "every token has a type and a place");
  require(options.max_length == 0 || std::ssize(encoding.ids) <= options.max_length, "no more than max_length");
  for (const auto& [begin, end] : encoding.offsets)
    require(begin >= 0 && begin <= end && end <= longest, "a token lies in its text");
  require(find_invalid_utf8(tokenizer.decode(encoding.ids)) == std::string_view::npos, "decoded text is UTF-8");
}

}  // namespace bertha
