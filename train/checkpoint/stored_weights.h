#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/checkpoint/safetensors.h"

namespace bertha {

/// The file that says in which of several files each tensor of a large model is.
inline constexpr std::string_view kWeightsIndexName = "model.safetensors.index.json";

/// A tensor and the file that holds it.
struct StoredWeight {
  const SafetensorsFile* file = nullptr;
  const StoredTensor* tensor = nullptr;

  const std::string& name() const { return tensor->name; }
  void read(std::span<float> out) const { file->read(tensor->name, out); }
};

/// The tensors of one safetensors file, of the files that an index names, or of a model directory: those of its
/// model.safetensors or, where there is none, of its index.
/// Source:  as Hugging Face's save_pretrained writes them.
/// Throws:  ConfigError where a directory has neither; DamagedFileError for what is not an index, an index that names
///          files elsewhere, or one that does not say of each tensor where it is; what SafetensorsFile throws.
class StoredWeights {
 public:
  explicit StoredWeights(const std::string& path);

  /// Of the file, or of the index.
  const std::string& path() const { return path_; }
  /// Sorted by name.
  const std::vector<StoredWeight>& tensors() const { return tensors_; }
  /// Null where there is none of this name.
  const StoredWeight* find(std::string_view name) const;
  /// Of all files.
  std::map<std::string, std::string> metadata() const;

 private:
  void add_file(const std::string& path);
  void add_indexed_files();

  std::string path_;
  std::deque<SafetensorsFile> files_;
  std::vector<StoredWeight> tensors_;
};

}  // namespace bertha
