#include "data/json_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/shown.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr size_t kDeepest = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The number that four hexadecimal digits at the front make; -1 where there are none.
int32_t hexadecimal(std::string_view digits) {
  constexpr size_t kDigits = 4;
  if (digits.size() < kDigits) return -1;
  uint32_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + kDigits, value, 16);
  return error == std::errc() && stop == digits.data() + kDigits ? static_cast<int32_t>(value) : -1;
}

bool is_high_surrogate(int32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_surrogate(int32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

constexpr std::string_view kEscapes = "\"\\/bfnrt", kEscaped = "\"\\/\b\f\n\r\t";

/// What an escape at the front, behind its backslash, stands for, and how many bytes it has: none where it is broken.
std::pair<char32_t, size_t> decode_escape(std::string_view text) {
  if (text.empty()) return {0, 0};
  const size_t plain = kEscapes.find(text[0]);
  if (plain != kEscapes.npos) return {static_cast<char32_t>(kEscaped[plain]), 1};
  const int32_t unit = text[0] == 'u' ? hexadecimal(text.substr(1)) : -1;
  if (unit < 0 || is_low_surrogate(unit)) return {0, 0};
  if (!is_high_surrogate(unit)) return {static_cast<char32_t>(unit), 5};
  const int32_t second = text.substr(5).starts_with("\\u") ? hexadecimal(text.substr(7)) : -1;
  if (!is_low_surrogate(second)) return {0, 0};
  return {static_cast<char32_t>(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00)), 11};
}

/// A text between its quotes, once scanned, with its escapes resolved.
std::string decoded(std::string_view written) {
  std::string result;
  for (size_t escape; (escape = written.find('\\')) != written.npos;) {
    result.append(written.substr(0, escape));
    const auto [code_point, bytes] = decode_escape(written.substr(escape + 1));
    append_utf8(code_point, result);
    written.remove_prefix(escape + 1 + bytes);
  }
  return result.append(written);
}

}  // namespace

void JsonReader::refuse(std::string_view expected) const {
  fail<DamagedFileError>(where_, ": not ", expected, " at byte ", at_ + 1);
}

char JsonReader::peek() {
  at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
  return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonReader::take(char expected) {
  if (peek() != expected || at_ == text_.size()) refuse("JSON");
  ++at_;
}

/// Whether there is anything between the brackets.
bool JsonReader::open(char first, char last) {
  if (peek() != first) refuse(first == '{' ? "an object" : "a list");
  ++at_;
  if (peek() != last) return true;
  ++at_;
  return false;
}

bool JsonReader::go_on(char last) {
  if (peek() != last) {
    take(',');
    return true;
  }
  ++at_;
  return false;
}

JsonReader::Kind JsonReader::kind() {
  switch (peek()) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kText;
    case 't':
    case 'f':
      return Kind::kBoolean;
    case 'n':
      return Kind::kNull;
    default:
      return Kind::kNumber;
  }
}

/// What stands between the quotes.
std::string_view JsonReader::scan_text() {
  if (peek() != '"') refuse("a string");
  const size_t begin = ++at_;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    if (static_cast<unsigned char>(text_[at_]) < ' ') refuse("JSON");
    if (text_[at_] != '\\') continue;
    const size_t bytes = decode_escape(text_.substr(at_ + 1)).second;
    if (bytes == 0) refuse("JSON");
    at_ += bytes;
  }
  if (at_ == text_.size()) refuse("JSON");
  return text_.substr(begin, at_++ - begin);
}

std::string JsonReader::text() {
  return decoded(scan_text());
}

void JsonReader::scan_word(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) refuse("JSON");
  at_ += word.size();
}

bool JsonReader::boolean() {
  const char first = peek();
  if (first != 't' && first != 'f') refuse("true or false");
  scan_word(first == 't' ? "true" : "false");
  return first == 't';
}

void JsonReader::scan_digits() {
  const size_t begin = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  if (at_ == begin) refuse("JSON");
}

std::string_view JsonReader::scan_number() {
  peek();
  const size_t begin = at_;
  const auto has = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
  if (has('-')) ++at_;
  if (has('0')) {
    ++at_;
  } else {
    scan_digits();
  }
  if (has('.')) {
    ++at_;
    scan_digits();
  }
  if (has('e') || has('E')) {
    ++at_;
    if (has('+') || has('-')) ++at_;
    scan_digits();
  }
  return text_.substr(begin, at_ - begin);
}

uint64_t JsonReader::count() {
  const char first = peek();
  if (first != '-' && !is_digit(first)) refuse("a number");
  const size_t begin = at_;
  const std::string_view number = scan_number();
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || stop != number.data() + number.size()) {
    at_ = begin;
    refuse("a number from 0 to 2^64 - 1");
  }
  return value;
}

void JsonReader::skip_value(size_t depth) {
  if (depth > kDeepest) refuse("at most 64 levels deep");
  switch (kind()) {
    case Kind::kObject:
      return object([&](const std::string&) { skip_value(depth + 1); });
    case Kind::kArray:
      return array([&] { skip_value(depth + 1); });
    case Kind::kText:
      scan_text();
      return;
    case Kind::kBoolean:
      boolean();
      return;
    case Kind::kNull:
      return scan_word("null");
    default:
      scan_number();
  }
}

std::string_view JsonReader::skip() {
  peek();
  const size_t begin = at_;
  skip_value(0);
  return text_.substr(begin, at_ - begin);
}

void JsonReader::end() {
  peek();
  if (at_ < text_.size()) refuse("JSON");
}

std::string_view json_type_name(std::string_view value) {
  constexpr std::string_view kNames[] = {"object", "array", "string", "number", "boolean", "null"};
  return kNames[static_cast<size_t>(JsonReader(value, "").kind())];
}

namespace {

/// Checks a value and what is in it. A name is known by its hash, so that it takes little memory; only where one stands
/// twice, a second look finds what it is called.
class JsonChecker {
 public:
  JsonChecker(std::string_view text, std::string_view where, std::optional<uint64_t> twice)
      : text_(text), where_(where), reader_(text, where), twice_(twice) {}

  void check_all() {
    check_value(0);
    reader_.end();
  }

 private:
  void check_value(size_t depth) {
    const JsonReader::Kind kind = reader_.kind();
    const bool structured = kind == JsonReader::Kind::kObject || kind == JsonReader::Kind::kArray;
    check<DamagedFileError>(!structured || depth < kDeepest, where_, ": nested deeper than ", kDeepest, " levels");
    if (kind == JsonReader::Kind::kArray) {
      reader_.array([&] { check_value(depth + 1); });
    } else if (kind == JsonReader::Kind::kObject) {
      check_object(depth);
    } else {
      reader_.skip();
    }
  }

  void check_object(size_t depth) {
    const auto first = std::ssize(names_);
    reader_.object([&](const std::string& name) {
      const uint64_t hash = checksum_of(std::as_bytes(std::span(name)));
      check<DamagedFileError>(hash != twice_, where_, ": ", shown(name), " stands twice");
      names_.push_back(hash);
      check_value(depth + 1);
    });
    std::sort(names_.begin() + first, names_.end());
    const auto twin = std::adjacent_find(names_.begin() + first, names_.end());
    if (twin != names_.end()) JsonChecker(text_, where_, *twin).check_all();
    names_.resize(static_cast<size_t>(first));
  }

  std::string_view text_, where_;
  JsonReader reader_;
  std::optional<uint64_t> twice_;
  std::vector<uint64_t> names_;  // of the objects that are open
};

}  // namespace

void check_json(std::string_view text, std::string_view where) {
  check_utf8(text, where, 0);
  JsonChecker(text, where, std::nullopt).check_all();
}

void check_long_json(std::string_view text, std::string_view where) {
  constexpr size_t kLong = size_t{1} << 20;
  if (text.size() < kLong) return;
  JsonReader reader(text, where);
  reader.skip();
  reader.end();
}

}  // namespace bertha
