#include "data/encoding.h"

#include <algorithm>
#include <span>

#include "autograd/core/error.h"

namespace bertha {
namespace {

/// How many tokens of a text, or of each of a pair, are kept.
struct Lengths {
  int64_t first, second;
};

/// The longer text is cut down to the shorter one, then both alike, as Hugging Face tokenizers does.
Lengths longest_first(Lengths have, int64_t room) {
  const bool swapped = have.first > have.second;
  Lengths keep = swapped ? Lengths{have.second, have.first} : have;
  keep.second = keep.first > room ? keep.first : std::max(keep.first, room - keep.first);
  if (keep.first + keep.second > room) keep = {room / 2, room - room / 2};
  return swapped ? Lengths{keep.second, keep.first} : keep;
}

Lengths truncated(Lengths have, bool is_pair, int64_t room, Truncation truncation) {
  const int64_t excess = have.first + have.second - room;
  if (excess <= 0) return have;
  if (truncation == Truncation::kLongestFirst) return is_pair ? longest_first(have, room) : Lengths{room, 0};
  int64_t& cut = truncation == Truncation::kOnlyFirst ? have.first : have.second;
  check<ConfigError>(cut > excess, "tokenize: max_length leaves no room for a token of the ",
                     truncation == Truncation::kOnlyFirst ? "first" : "second", " text: ", excess, " of its ", cut,
                     " tokens would have to go");
  cut -= excess;
  return have;
}

/// Some of the tokens of a text.
struct Window {
  std::span<const int32_t> ids;
  std::span<const TextRange> offsets;
};

std::vector<Window> windows(const Tokens& tokens, int64_t length, int64_t stride) {
  const auto size = static_cast<int64_t>(tokens.ids.size());
  const auto window = [&](int64_t begin, int64_t end) {
    const auto from = static_cast<size_t>(begin), count = static_cast<size_t>(end - begin);
    return Window{std::span(tokens.ids).subspan(from, count), std::span(tokens.offsets).subspan(from, count)};
  };
  if (length >= size) return {window(0, size)};
  check<ConfigError>(length > 0, "tokenize: max_length leaves no room for a token of a text of ", size, " tokens");
  check<ConfigError>(stride < length, "tokenize: stride ", stride, " must be smaller than the ", length,
                     " tokens of a text that max_length leaves room for");
  std::vector<Window> result;
  for (int64_t begin = 0;; begin += length - stride) {
    result.push_back(window(begin, std::min(begin + length, size)));
    if (begin + length >= size) return result;
  }
}

Encoding framed(const Window& first, const Window* second, const EncodingFrame& frame) {
  Encoding encoding;
  const auto add_special = [&](const std::vector<int32_t>& ids, int32_t type) {
    encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
    encoding.type_ids.resize(encoding.ids.size(), type);
    encoding.offsets.resize(encoding.ids.size());
  };
  const auto add = [&](const Window& window, int32_t type) {
    encoding.ids.insert(encoding.ids.end(), window.ids.begin(), window.ids.end());
    encoding.type_ids.resize(encoding.ids.size(), type);
    encoding.offsets.insert(encoding.offsets.end(), window.offsets.begin(), window.offsets.end());
  };
  add_special(frame.before, 0);
  add(first, 0);
  if (second) {
    add_special(frame.between, 0);
    encoding.second_begin = std::ssize(encoding.ids);
    add(*second, frame.pair_type);
  }
  add_special(frame.after, second ? frame.pair_type : 0);
  return encoding;
}

}  // namespace

Encoding assemble(const Tokens& text, const std::optional<Tokens>& pair, const EncodingFrame& frame,
                  const EncodeOptions& options) {
  const int64_t special = std::ssize(frame.before) + std::ssize(frame.after) + (pair ? std::ssize(frame.between) : 0);
  check<ConfigError>(options.stride >= 0, "tokenize: stride ", options.stride, " is negative");
  check<ConfigError>(options.max_length == 0 || options.max_length >= special, "tokenize: max_length ",
                     options.max_length, " leaves no room for the ", special, " special tokens");
  Lengths keep{std::ssize(text.ids), pair ? std::ssize(pair->ids) : 0};
  if (options.max_length > 0) {
    keep = truncated(keep, pair.has_value(), options.max_length - special, options.truncation);
  }
  const std::vector<Window> firsts = windows(text, keep.first, options.stride);
  const std::vector<Window> seconds = pair ? windows(*pair, keep.second, options.stride) : std::vector<Window>(1);
  const auto assembled = [&](size_t i, size_t j) { return framed(firsts[i], pair ? &seconds[j] : nullptr, frame); };

  Encoding result = assembled(0, 0);
  for (size_t i = 1; i < firsts.size(); ++i) {
    for (size_t j = 0; j < seconds.size(); ++j) result.overflow.push_back(assembled(i, j));
  }
  for (size_t j = 1; j < seconds.size(); ++j) result.overflow.push_back(assembled(0, j));
  return result;
}

}  // namespace bertha
