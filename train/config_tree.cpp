#include "train/config_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "autograd/core/error.h"

namespace bertha {

namespace {

constexpr size_t kLargestFile = 1 << 16;  // the parser takes up to 200 times as much
constexpr size_t kDeepest = 32;
constexpr size_t kMostValues = 20'000;  // in memory each takes many times its bytes

using Kind = ConfigNode::Kind;
using Origin = std::shared_ptr<const std::string>;

/// Builds the tree from the parser's events, refusing what a configuration has no use for as soon as it is met, so that
/// neither a bomb of aliases nor a tower of brackets is ever expanded.
class TreeBuilder : public YAML::EventHandler {
 public:
  /// `numbered`: places have lines and columns.
  TreeBuilder(Origin origin, bool numbered) : origin_(std::move(origin)), numbered_(numbered) {
    root_.place = {origin_};
  }

  ConfigNode take() { return std::move(root_); }
  ConfigPlace place(const YAML::Mark& mark) const {
    if (!numbered_ || mark.is_null()) return {origin_};
    return {origin_, mark.line + 1, mark.column + 1};
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, "?", anchor, Kind::kNothing); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    add(mark, tag, anchor, tag == "!" ? Kind::kQuoted : Kind::kText, text);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::kList);
  }
  void OnSequenceEnd() override { levels_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::kMap);
  }
  void OnMapEnd() override { levels_.pop_back(); }

 private:
  struct Level {
    ConfigNode* node;      // stays where it is: only the innermost container grows
    bool has_key = false;  // a map's last entry still waits for its value
  };

  [[noreturn]] void refuse_anchor(const YAML::Mark& mark) const {
    fail<ConfigError>(place(mark),
                      ": anchors and aliases are not supported (quote a text that starts with '&' or '*')");
  }

  ConfigNode* add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind,
                  const std::string& text = {}) {
    if (anchor != YAML::NullAnchor) refuse_anchor(mark);
    check<ConfigError>(++values_ <= kMostValues, place(mark), ": more than ", kMostValues, " keys and values");
    check<ConfigError>(tag.empty() || tag == "?" || tag == "!", place(mark), ": tags are not supported");
    ConfigNode node{kind, place(mark), text, {}, {}};
    if (levels_.empty()) return &(root_ = std::move(node));
    Level& level = levels_.back();
    if (level.node->kind == Kind::kList) return &level.node->items.emplace_back(std::move(node));
    if (level.has_key) {
      level.has_key = false;
      return &(level.node->entries.back().value = std::move(node));
    }
    check<ConfigError>(kind == Kind::kText || kind == Kind::kQuoted, place(mark), ": a key must be a plain word");
    level.has_key = true;
    level.node->entries.push_back({text, node.place, {}});
    return nullptr;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    check<ConfigError>(levels_.size() < kDeepest, place(mark), ": nested deeper than ", kDeepest, " levels");
    levels_.push_back({add(mark, tag, anchor, kind)});
  }

  Origin origin_;
  bool numbered_;
  size_t values_ = 0;
  ConfigNode root_;
  std::vector<Level> levels_;
};

ConfigNode parse(const std::string& yaml, TreeBuilder builder) {
  std::istringstream in(yaml);
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    ConfigNode root = builder.take();
    check<ConfigError>(!parser.HandleNextDocument(builder), root.place, ": more than one YAML document (expected one)");
    return root;
  } catch (const YAML::Exception& error) {
    const bool text_with_star = error.msg == YAML::ErrorMsg::UNKNOWN_ANCHOR;
    std::string message = error.msg;  // may end in a character of the file
    std::ranges::replace_if(
        message, [](unsigned char c) { return c < ' ' || c >= 0x7F; }, '?');
    fail<ConfigError>(builder.place(error.mark), ": ", message,
                      text_with_star ? " (quote a text that starts with '*')" : "");
  }
}

ConfigNode* find_last(ConfigNode& map, std::string_view key) {
  const auto found = std::find_if(map.entries.rbegin(), map.entries.rend(),
                                  [key](const ConfigEntry& entry) { return entry.key == key; });
  return found == map.entries.rend() ? nullptr : &found->value;
}

std::string value_text(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::kText:
    case Kind::kQuoted:
      return node.text;
    case Kind::kList: {
      std::string text;
      for (const ConfigNode& item : node.items) text += (text.empty() ? "" : ", ") + value_text(item);
      return "[" + text + "]";
    }
    case Kind::kMap: {
      std::string text;
      for (const ConfigEntry& entry : node.entries) {
        text += (text.empty() ? "" : ", ") + entry.key + ": " + value_text(entry.value);
      }
      return "{" + text + "}";
    }
    default:
      return "null";
  }
}

void flatten(const ConfigNode& map, const std::string& prefix,
             std::vector<std::pair<std::string, std::string>>& values) {
  for (const ConfigEntry& entry : map.entries) {
    if (entry.value.kind == Kind::kMap) {
      flatten(entry.value, prefix + entry.key + ".", values);
    } else {
      values.emplace_back(prefix + entry.key, value_text(entry.value));
    }
  }
}

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> keys;
  std::istringstream parts(path);
  for (std::string key; std::getline(parts, key, '.');) keys.push_back(key);
  return keys;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ConfigPlace& place) {
  out << *place.origin;
  if (place.line > 0) out << ':' << place.line << ':' << place.column;
  return out;
}

const ConfigNode* ConfigNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &ConfigEntry::key);
  return found == entries.end() || found->value.kind == Kind::kLeftOut ? nullptr : &found->value;
}

ConfigNode parse_config(const std::string& yaml, const std::string& origin) {
  const auto shared_origin = std::make_shared<const std::string>(origin);
  check<ConfigError>(yaml.size() <= kLargestFile, origin, ": larger than ", kLargestFile,
                     " bytes; is this a configuration?");
  ConfigNode root = parse(yaml, TreeBuilder(shared_origin, /*numbered=*/true));
  if (root.kind == Kind::kNothing) root.kind = Kind::kMap;
  check<ConfigError>(root.kind == Kind::kMap, root.place, ": expected keys and values");
  return root;
}

ConfigNode read_config_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  check<ConfigError>(file != nullptr, path, ": cannot be opened: ", std::strerror(errno));
  std::string yaml(kLargestFile + 1, '\0');  // one byte more shows that there is more
  yaml.resize(std::fread(yaml.data(), 1, yaml.size(), file.get()));
  check<ConfigError>(std::ferror(file.get()) == 0, path, ": cannot be read: ", std::strerror(errno));
  return parse_config(yaml, path);
}

std::vector<std::pair<std::string, std::string>> flat_config(const ConfigNode& map) {
  std::vector<std::pair<std::string, std::string>> values;
  flatten(map, "", values);
  return values;
}

void apply_override(ConfigNode& root, const std::string& assignment) {
  const auto origin = std::make_shared<const std::string>(assignment);
  const size_t equals = assignment.find('=');
  const std::vector<std::string> keys = split_path(assignment.substr(0, equals));
  check<ConfigError>(equals != std::string::npos && !keys.empty() && keys.size() <= kDeepest, assignment,
                     ": expected key.path=value");
  ConfigNode value = parse(assignment.substr(equals + 1), TreeBuilder(origin, /*numbered=*/false));
  if (value.kind == Kind::kNothing) value.kind = Kind::kLeftOut;

  ConfigNode* node = &root;
  for (const std::string& key : keys) {
    if (node->kind == Kind::kNothing || node->kind == Kind::kLeftOut) node->kind = Kind::kMap;
    check<ConfigError>(node->kind == Kind::kMap, assignment, ": there are no keys under the value at ", node->place);
    ConfigNode* next = find_last(*node, key);
    node = next ? next
                : &node->entries.emplace_back(ConfigEntry{key, {origin}, {Kind::kNothing, {origin}, {}, {}, {}}}).value;
  }
  *node = std::move(value);
}

}  // namespace bertha
