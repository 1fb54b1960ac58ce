#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/inspect/file_tensors.h"

namespace bertha {

/// The part of a model that a tensor belongs to, by the beginning of its published name: up to the number of its layer
/// (`bert.encoder.layer.0`), else the part itself, with the encoder's name or `cls` in front where that is there
/// (`bert.embeddings`, `cls.predictions`, `classifier`). A moment's name keeps its kind in front.
std::string_view layer_group(std::string_view tensor_name);

/// A part and its tensors.
struct LayerGroup {
  std::string name;
  std::vector<const FileTensor*> tensors;

  int64_t parameters() const;
  uint64_t bytes() const;
};

/// Embeddings first, then layers by number, then the rest; within them by name. The tensors must outlive the groups.
std::vector<LayerGroup> group_by_layer(std::span<const FileTensor> tensors);

}  // namespace bertha
