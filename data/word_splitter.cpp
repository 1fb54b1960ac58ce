#include "data/word_splitter.h"

#include <algorithm>
#include <array>

#include "data/unicode.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr auto kIsAsciiLetterOrDigit = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = table[static_cast<size_t>(c - 'A' + 'a')] = true;
  return table;
}();

/// How many letters and digits of ASCII the text begins with.
size_t ascii_run(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && kIsAsciiLetterOrDigit[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

const Words& WordSplitter::split(std::string_view text) {
  words_.bytes.clear();
  words_.words.clear();
  words_.sources.clear();
  position_ = 0;
  for (size_t at = 0; at < text.size();) {
    if (const size_t run = ascii_run(text.substr(at)); run > 0) {
      add_ascii_run(text.substr(at, run));
      at += run;
      continue;
    }
    const CodePoint next = decode_utf8(text.substr(at, 4));
    if (next.bytes == 0) fail_utf8("text", static_cast<int64_t>(at), text[at]);
    add(next.value);
    ++position_;
    at += static_cast<size_t>(next.bytes);
  }
  add_marks();
  end_word();
  return words_;
}

void WordSplitter::add_ascii_run(std::string_view run) {
  add_marks();
  const size_t begin = words_.bytes.size();
  words_.bytes.append(run);
  if (casing_ == Casing::kUncased) {
    std::transform(run.begin(), run.end(), words_.bytes.begin() + static_cast<std::ptrdiff_t>(begin), ascii_lower);
  }
  const auto length = static_cast<int64_t>(run.size());
  if (sources_ == Sources::kTracked) {
    for (int64_t i = 0; i < length; ++i) words_.sources.push_back(position_ + i);
  }
  position_ += length;
  code_points_ += length;
}

void WordSplitter::add(char32_t code_point) {
  switch (character_class(code_point)) {
    case CharacterClass::kControl:
      return;
    case CharacterClass::kBlank:
      add_marks();
      return end_word();
    case CharacterClass::kIdeograph:
      add_marks();
      end_word();
      add_decomposed(code_point);
      return end_word();
    default:
      add_decomposed(code_point);
  }
}

void WordSplitter::add_decomposed(char32_t code_point) {
  if (casing_ == Casing::kCased) return add_plain(code_point, position_);
  std::array<char32_t, 4> buffer;
  bool heads_source = true;
  for (const char32_t part : decompose(code_point, buffer)) {
    const int order = combining_class(part);
    if (order == 0) {
      add_marks();
      add_plain(part, position_);
    } else {
      marks_.push_back({part, order, heads_source, position_});
    }
    heads_source = false;
  }
}

void WordSplitter::add_marks() {
  if (marks_.empty()) return;
  std::vector<int64_t> sources;
  for (const Mark& mark : marks_) {
    if (mark.heads_source) sources.push_back(mark.source);
  }
  std::stable_sort(marks_.begin(), marks_.end(),
                   [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
  // The reference hands out sources in text order, whatever order the marks take.
  size_t heads = 0;
  for (const Mark& mark : marks_) {
    heads += mark.heads_source;
    add_plain(mark.code_point, heads > 0 ? sources[heads - 1] : mark.source);
  }
  marks_.clear();
}

void WordSplitter::add_plain(char32_t code_point, int64_t source) {
  const CharacterClass kind = character_class(code_point);
  if (casing_ == Casing::kUncased) {
    if (kind == CharacterClass::kMark) return;
    code_point = to_lower(code_point);
  }
  if (kind != CharacterClass::kPunctuation) return append(code_point, source);
  end_word();
  append(code_point, source);
  end_word();
}

void WordSplitter::append(char32_t code_point, int64_t source) {
  append_utf8(code_point, words_.bytes);
  if (sources_ == Sources::kTracked) words_.sources.resize(words_.bytes.size(), source);
  ++code_points_;
}

void WordSplitter::end_word() {
  if (code_points_ == 0) return;
  words_.words.push_back({words_.bytes.size(), code_points_});
  code_points_ = 0;
}

}  // namespace bertha
