#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bertha {

/// Where a part of a configuration stands: FILE:LINE:COLUMN, or the override that brought it.
struct ConfigPlace {
  std::shared_ptr<const std::string> origin;  // the file's path, or the override as it was given
  int line = 0, column = 0;                   // from 1; 0 where only the origin is known
};
std::ostream& operator<<(std::ostream& out, const ConfigPlace& place);

struct ConfigEntry;

/// A YAML value with its place, before anybody knows what it should be.
struct ConfigNode {
  enum class Kind {
    kNothing,  // a key with no value, or null
    kLeftOut,  // taken away by an override
    kText,     // a plain scalar: a number, true, a name
    kQuoted,   // a scalar in quotes: text, whatever it looks like
    kList,
    kMap,
  };
  Kind kind = Kind::kNothing;
  ConfigPlace place;
  std::string text;
  std::vector<ConfigNode> items;
  std::vector<ConfigEntry> entries;  // of a map, as written: a key may occur twice

  /// The value of `key` in a map, or null where it is missing or left out.
  const ConfigNode* find(std::string_view key) const;
};

struct ConfigEntry {
  std::string key;
  ConfigPlace place;
  ConfigNode value;
};

/// Reads one YAML document of at most 64 KiB, 20,000 values and 32 levels, without anchors, aliases and tags; an empty
/// one is an empty map. Throws ConfigError with file, line and column.
ConfigNode read_config_file(const std::string& path);
ConfigNode parse_config(const std::string& yaml, const std::string& origin);

/// What stands under each path of keys, in the order of the file: `training.steps`, `1000`; lists on one line.
std::vector<std::pair<std::string, std::string>> flat_config(const ConfigNode& map);

/// Applies `key.path=value` (value: YAML) as if it stood in the file instead of the key's present value; `null`, or no
/// value, leaves the key out. Throws ConfigError that starts with the override.
void apply_override(ConfigNode& root, const std::string& assignment);

}  // namespace bertha
