#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// A member of a JSON object whose value is a text, or a list of texts. Numbers are texts, as they are written (but
/// integers without needless signs and zeros), and so are `true` and `false`.
struct JsonField {
  std::string name;
  std::string text;                // of a list, its elements joined by blanks
  std::vector<std::string> items;  // of a list
  bool is_list = false;
  const char* problem = nullptr;  // what the value is, where it is neither text nor list
};

/// Appends the members of the object in `line`, in their order. Says what is wrong with the line; nothing where it is
/// an object without repeated keys, whatever its members.
std::string read_json_row(std::string_view line, std::vector<JsonField>& fields);

}  // namespace bertha
