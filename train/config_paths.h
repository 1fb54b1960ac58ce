#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// The files that `patterns` name, each once, in byte order whatever the locale and the order of the patterns: a file,
/// a folder (every *.txt, *.jsonl, *.txt.gz and *.jsonl.gz below it) or a shell pattern with * ? [...]. Throws
/// ConfigError for a pattern that names none; `key` is the configuration's key, for the sentence.
std::vector<std::string> expand_paths(std::span<const std::string> patterns, std::string_view key);

}  // namespace bertha
