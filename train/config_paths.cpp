#include "train/config_paths.h"

#include <glob.h>

#include <filesystem>
#include <set>
#include <system_error>

#include "autograd/core/error.h"

namespace bertha {

namespace {

namespace fs = std::filesystem;

/// What open_text tells apart, and by its name is text.
bool is_text(fs::path path) {
  if (path.extension() == ".gz") path.replace_extension();
  return path.extension() == ".txt" || path.extension() == ".jsonl";
}

void add_texts_below(const std::string& folder, std::set<std::string>& files) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && is_text(entry.path())) files.insert(entry.path().lexically_normal());
}

/// The paths that match; a path that exists matches itself, whatever characters it has.
std::vector<std::string> matches(const std::string& pattern) {
  std::error_code is_no_path;
  if (fs::exists(pattern, is_no_path)) return {pattern};
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

}  // namespace

std::vector<std::string> expand_paths(std::span<const std::string> patterns, std::string_view key) {
  std::set<std::string> files;
  for (const std::string& pattern : patterns) {
    std::set<std::string> named;
    for (const std::string& path : matches(pattern)) {
      if (fs::is_directory(path))
        add_texts_below(path, named);
      else
        named.insert(fs::path(path).lexically_normal());
    }
    check<ConfigError>(
        !named.empty(), key, ": '", pattern,
        "' names no file (expected files, patterns, or folders with *.txt, *.jsonl, *.txt.gz or *.jsonl.gz)");
    files.merge(named);
  }
  return {files.begin(), files.end()};
}

}  // namespace bertha
