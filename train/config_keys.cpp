#include "train/config_keys.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "autograd/core/error.h"
#include "data/nearest_name.h"
#include "data/shown.h"
#include "train/duration.h"

namespace bertha {

namespace {

using Kind = ConfigNode::Kind;
using Section = ConfigKey::Section;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSmallest = std::numeric_limits<double>::denorm_min();
constexpr double kLargestBelowOne = 1 - std::numeric_limits<double>::epsilon() / 2;

// ---- Sentences ----

std::string found(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::kText:
      return shown(node.text);
    case Kind::kQuoted:
      return "the text " + shown(node.text);
    case Kind::kList:
      return "a list of " + std::to_string(node.items.size());
    case Kind::kMap:
      return "keys";
    default:
      return "nothing";
  }
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

/// "'steps' in 'training'", or "'task'" at the top.
std::string in_section(std::string_view key, std::string_view section) {
  return shown(key) + (section.empty() ? "" : " in " + shown(section));
}

/// The path of the key called exactly `name` in another section, or empty.
std::string path_elsewhere(std::string_view name, const Section& all_keys) {
  for (const ConfigKey& key : all_keys) {
    if (key.name == name) return std::string(name);
    if (const auto* section = std::get_if<Section>(&key.target))
      for (const ConfigKey& inner : *section)
        if (inner.name == name) return std::string(key.name) + "." + std::string(name);
  }
  return {};
}

/// "did you mean ..." where a key is near, else all keys there are.
std::string advice(std::string_view unknown, const Section& section, const Section& all_keys) {
  if (const std::string path = path_elsewhere(unknown, all_keys); !path.empty()) return "did you mean '" + path + "'?";
  std::vector<std::string_view> names;
  for (const ConfigKey& key : section) names.push_back(key.name);
  const std::string_view nearest = nearest_name(unknown, names);
  if (!nearest.empty()) return "did you mean '" + std::string(nearest) + "'?";
  return "expected " + joined(names);
}

// ---- Reading ----

template <class T>
std::optional<T> parse_number(const ConfigNode& node) {
  if (node.kind != Kind::kText) return {};
  T value{};
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc{} || stop != end) return {};
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(value)) return {};
  return value;
}

/// Fills one variable from one value; `name` is the key as errors call it.
struct Reader {
  const ConfigNode& node;
  const ConfigRange& range;
  std::string name;

  [[noreturn]] void refuse(const std::string& expected) const {
    fail<ConfigError>(node.place, ": expected ", expected, " for ", name, ", found ", found(node));
  }

  template <class T>
  T number(const ConfigNode& from, const std::string& expected) const {
    const auto value = parse_number<T>(from);
    if (!value || static_cast<double>(*value) < range.lowest || static_cast<double>(*value) > range.highest)
      refuse(expected + " " + std::string(range.words));
    return *value;
  }

  void operator()(bool* target) const {
    if (node.kind != Kind::kText || (node.text != "true" && node.text != "false")) refuse("true or false");
    *target = node.text == "true";
  }
  void operator()(int64_t* target) const { *target = number<int64_t>(node, "an integer"); }
  void operator()(std::optional<int64_t>* target) const { *target = number<int64_t>(node, "an integer"); }
  void operator()(double* target) const { *target = number<double>(node, "a number"); }
  void operator()(std::array<double, 2>* target) const {
    if (node.items.size() != 2) refuse("two numbers " + std::string(range.words));
    for (size_t i = 0; i < 2; ++i) (*target)[i] = number<double>(node.items[i], "two numbers");
  }
  void operator()(std::optional<std::chrono::seconds>* target) const {
    const auto duration = is_text(node) ? parse_duration(node.text) : std::nullopt;
    if (!duration || duration->count() == 0) refuse("a time such as 90s, 30m, 2h or 1d");
    *target = duration;
  }
  void operator()(std::string* target) const {
    if (!is_text(node)) refuse("a text");
    *target = node.text;
  }
  /// One text may stand without brackets.
  void operator()(std::vector<std::string>* target) const {
    target->clear();
    if (is_text(node)) {
      target->push_back(node.text);
      return;
    }
    if (node.items.empty()) refuse("a list of texts");
    for (const ConfigNode& item : node.items) {
      if (!is_text(item)) refuse("a list of texts");
      target->push_back(item.text);
    }
  }
  void operator()(std::vector<int64_t>* target) const {
    const std::string expected = "a list of integers";
    if (node.items.empty()) refuse(expected + " " + std::string(range.words));
    target->clear();
    for (const ConfigNode& item : node.items) target->push_back(number<int64_t>(item, expected));
  }
  void operator()(const ConfigChoice& choice) const {
    if (!is_text(node) || std::ranges::count(choice.names, node.text) == 0) refuse(joined(choice.names));
    choice.choose(node.text);
  }

  static bool is_text(const ConfigNode& n) {
    return (n.kind == Kind::kText || n.kind == Kind::kQuoted) && !n.text.empty();
  }
};

/// Refuses keys that `section` does not have and keys that occur twice.
void check_entries(const ConfigNode& node, const Section& section, std::string_view name, const Section& all_keys) {
  std::vector<const ConfigEntry*> first(section.size());
  for (const ConfigEntry& entry : node.entries) {
    const auto known = std::ranges::find(section, entry.key, &ConfigKey::name);
    if (known == section.end())
      fail<ConfigError>(entry.place, ": unknown key ", in_section(entry.key, name), " (",
                        advice(entry.key, section, all_keys), ")");
    const ConfigEntry*& earlier = first[static_cast<size_t>(known - section.begin())];
    if (earlier)
      fail<ConfigError>(entry.place, ": repeated key ", in_section(entry.key, name), " (first at ", earlier->place,
                        ")");
    earlier = &entry;
  }
}

void read_section(const ConfigNode& node, const Section& section, std::string_view name, const Section& all_keys) {
  if (node.kind == Kind::kNothing) return;
  if (node.kind != Kind::kMap)
    fail<ConfigError>(node.place, ": expected keys under ", shown(name), ", found ", found(node));
  check_entries(node, section, name, all_keys);
  for (const ConfigKey& key : section) {
    const ConfigNode* value = node.find(key.name);
    if (value == nullptr) continue;
    if (const auto* inner = std::get_if<Section>(&key.target)) {
      read_section(*value, *inner, key.name, all_keys);
      continue;
    }
    const Reader read{*value, key.range, in_section(key.name, name)};
    std::visit(
        [&read](const auto& target) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(target)>, Section>) read(target);
        },
        key.target);
  }
}

// ---- Printing ----

/// Text as YAML reads it back: plain where nobody can take it for something else.
std::string quoted(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-*";
  const bool is_null = text == "null" || text == "Null" || text == "NULL";
  if (!is_null && (kLetters.find(text.front()) != std::string_view::npos || text.front() == '/') &&
      text.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      constexpr std::string_view kHex = "0123456789abcdef";
      result += {'\\', 'x', kHex[static_cast<size_t>(c) >> 4], kHex[static_cast<size_t>(c) & 15]};
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string printed(double value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string printed_list(const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) list.append(list.empty() ? "[" : ", ").append(item);
  return list + ']';
}

/// A variable's value as YAML; empty where it is left out.
struct Printer {
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const int64_t* value) const { return std::to_string(*value); }
  std::string operator()(const std::optional<int64_t>* value) const { return *value ? std::to_string(**value) : ""; }
  std::string operator()(const double* value) const { return printed(*value); }
  std::string operator()(const std::array<double, 2>* value) const {
    return printed_list({printed((*value)[0]), printed((*value)[1])});
  }
  std::string operator()(const std::optional<std::chrono::seconds>* value) const {
    return *value ? to_text(**value) : "";
  }
  std::string operator()(const std::string* value) const { return value->empty() ? "" : quoted(*value); }
  std::string operator()(const std::vector<std::string>* value) const {
    std::vector<std::string> texts;
    for (const std::string& text : *value) texts.push_back(quoted(text));
    return texts.empty() ? "" : printed_list(texts);
  }
  std::string operator()(const std::vector<int64_t>* value) const {
    std::vector<std::string> texts;
    for (const int64_t number : *value) texts.push_back(std::to_string(number));
    return texts.empty() ? "" : printed_list(texts);
  }
  std::string operator()(const ConfigChoice& choice) const { return std::string(choice.current); }
  std::string operator()(const Section&) const { return ""; }
};

void flatten_section(const Section& section, const std::string& prefix,
                     std::vector<std::pair<std::string, std::string>>& values) {
  for (const ConfigKey& key : section) {
    const std::string path = prefix + std::string(key.name);
    if (const auto* inner = std::get_if<Section>(&key.target)) {
      flatten_section(*inner, path + ".", values);
    } else if (std::string value = std::visit(Printer{}, key.target); !value.empty()) {
      values.emplace_back(path, std::move(value));
    }
  }
}

void print_section(const Section& section, const std::string& indent, std::ostream& out) {
  for (const ConfigKey& key : section) {
    if (const auto* inner = std::get_if<Section>(&key.target)) {
      std::ostringstream body;
      print_section(*inner, indent + "  ", body);
      if (!body.str().empty()) out << indent << key.name << ":\n" << body.str();
    } else if (const std::string value = std::visit(Printer{}, key.target); !value.empty()) {
      out << indent << key.name << ": " << value << '\n';
    }
  }
}

}  // namespace

const ConfigRange kCount{1, 1e9, "from 1 to 1000000000"};  // so that a product of two fits 64 bits
const ConfigRange kAtLeastZero{0, kInfinity, "of at least 0"};
const ConfigRange kAboveZero{kSmallest, kInfinity, "above 0"};
const ConfigRange kZeroToOne{0, 1, "from 0 to 1"};
const ConfigRange kZeroToBelowOne{0, kLargestBelowOne, "from 0 to below 1"};

void read_keys(const ConfigNode& root, const Section& keys) {
  read_section(root, keys, "", keys);
}

std::string to_yaml(const Section& keys) {
  std::ostringstream out;
  print_section(keys, "", out);
  return out.str();
}

std::vector<std::pair<std::string, std::string>> flatten(const Section& keys) {
  std::vector<std::pair<std::string, std::string>> values;
  flatten_section(keys, "", values);
  return values;
}

}  // namespace bertha
