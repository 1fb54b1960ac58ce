#pragma once

#include <string>

namespace bertha {

/// What `bertha inspect` can look into.
enum class Kind { kSafetensors, kModel, kCheckpoint, kShards, kShard, kPremasked, kRun };

/// As reports name it.
const char* to_text(Kind kind);

struct Subject {
  std::string path;
  Kind kind;

  /// Where its manifest is, and the files that it lists.
  std::string directory() const;
  /// The path's last component.
  std::string name() const;
};

/// What a path is, by the files that are there. Throws ConfigError where it does not exist, or is a directory of none
/// of the known kinds.
Subject recognize(const std::string& path);

/// Whether it holds tensors of a model.
bool holds_tensors(Kind kind);

}  // namespace bertha
