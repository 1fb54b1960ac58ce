#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// Reads JSON text (RFC 8259) from front to back, value by value, and keeps nothing of it: a file costs no more memory
/// than what its reader takes from it, however many values it holds, and however deep. `text` is UTF-8 and outlives
/// the reader; it may be one value of a larger text.
/// Throws DamagedFileError starting with `where` for what is not JSON, or another kind of value than is asked for.
class JsonReader {
 public:
  enum class Kind { kObject, kArray, kText, kNumber, kBoolean, kNull };

  JsonReader(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  /// Of the value that comes next.
  Kind kind();

  /// Calls f(name) for each member of an object, or f() for each element of an array; f reads the value.
  template <class F>
  void object(F&& f) {
    std::string name;
    for (bool more = open('{', '}'); more; more = go_on('}')) {
      name = text();
      take(':');
      f(name);
    }
  }
  template <class F>
  void array(F&& f) {
    for (bool more = open('[', ']'); more; more = go_on(']')) f();
  }

  std::string text();
  bool boolean();
  /// An integer from 0 to 2^64 - 1.
  uint64_t count();
  /// Passes over whatever comes next and returns it as it is written.
  std::string_view skip();
  /// Nothing but blanks follows.
  void end();

 private:
  [[noreturn]] void refuse(std::string_view expected) const;
  char peek();
  void take(char expected);
  bool open(char first, char last);
  bool go_on(char last);
  std::string_view scan_text();
  std::string_view scan_number();
  void scan_word(std::string_view word);
  void scan_digits();
  void skip_value(size_t depth);

  std::string_view text_;
  size_t at_ = 0;
  std::string_view where_;
};

/// The type of a value that is JSON: "object", "array", "string", "number", "boolean" or "null".
std::string_view json_type_name(std::string_view value);

/// Refuses what is not one JSON value in UTF-8 with names that stand once in their object, at most 64 levels deep. It
/// takes 8 bytes a name. Throws DamagedFileError starting with `where`.
void check_json(std::string_view text, std::string_view where);

/// Refuses what is not JSON among long texts alone: other parsers copy a text without an end several times to complain
/// of it. Throws DamagedFileError starting with `where`.
void check_long_json(std::string_view text, std::string_view where);

}  // namespace bertha
