#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "train/config_tree.h"

namespace bertha {

/// Which numbers a key takes; `words` end the sentence "expected a number ...".
struct ConfigRange {
  double lowest, highest;  // both included
  std::string_view words;
};
extern const ConfigRange kCount, kAtLeastZero, kAboveZero, kZeroToOne, kZeroToBelowOne;

/// A value with a name, one of a few.
struct ConfigChoice {
  std::vector<std::string_view> names;
  std::string_view current;  // empty where none is chosen
  std::function<void(std::string_view)> choose;
};

/// A key of a configuration: its name and the variable it fills. The variable's type says what the key takes; the value
/// it has before reading is the key's default. Empty texts, lists and optionals count as left out.
struct ConfigKey {
  using Section = std::vector<ConfigKey>;
  using Target = std::variant<bool*, int64_t*, std::optional<int64_t>*, double*, std::array<double, 2>*,
                              std::optional<std::chrono::seconds>*, std::string*, std::vector<std::string>*,
                              std::vector<int64_t>*, ConfigChoice, Section>;
  std::string_view name;
  Target target;
  ConfigRange range{0, 0, {}};  // of numbers
};

/// The names of an enum, in the words of the configuration.
template <class E>
using ConfigNames = std::span<const std::pair<std::string_view, E>>;

/// A choice that fills `value` by name; `names` must outlive it.
template <class E>
ConfigChoice choice_of(E& value, ConfigNames<E> names) {
  ConfigChoice choice;
  for (const auto& [name, meaning] : names) {
    choice.names.push_back(name);
    if (meaning == value) choice.current = name;
  }
  choice.choose = [&value, names](std::string_view chosen) {
    for (const auto& [name, meaning] : names)
      if (name == chosen) value = meaning;
  };
  return choice;
}

/// Fills the variables of `keys`, in their order, from the map `root`. Throws ConfigError, starting with the place, for
/// unknown and repeated keys, wrong types and values out of range.
void read_keys(const ConfigNode& root, const ConfigKey::Section& keys);

/// All keys that are not left out with their values, as YAML that reads back to the same.
std::string to_yaml(const ConfigKey::Section& keys);

/// The same, one a key: its path, such as `training.steps`, and its value.
std::vector<std::pair<std::string, std::string>> flatten(const ConfigKey::Section& keys);

}  // namespace bertha
