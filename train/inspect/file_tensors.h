#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/file.h"
#include "train/checkpoint/stored_tensor.h"
#include "train/checkpoint/stored_weights.h"
#include "train/checkpoint/training_state.h"

namespace bertha {

/// A tensor and the file that its elements are in.
struct FileTensor {
  const InputFile* file = nullptr;
  StoredTensor tensor;
};

/// What a safetensors file, an index of several, a model directory or a checkpoint holds, from their headers alone.
/// Where there is a manifest, they must be what it says.
/// Throws:  what StoredWeights and Manifest::read throw, DamagedFileError for a header that the manifest does not know.
class FileTensors {
 public:
  explicit FileTensors(const std::string& path);

  /// Sorted by name.
  const std::vector<FileTensor>& weights() const { return weights_; }
  /// The optimiser's moments of a checkpoint, named MOMENT/TENSOR and sorted by that; else none.
  const std::vector<FileTensor>& moments() const { return moments_; }
  /// Of a checkpoint; else null.
  const TrainingState* training_state() const { return training_state_ ? &training_state_->state() : nullptr; }
  /// Of the files of weights.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void add_moments(const std::string& checkpoint);
  std::vector<int64_t> shape_of_moment(std::string_view name, int64_t elements) const;

  StoredWeights stored_;
  std::map<std::string, std::string> metadata_;
  std::vector<FileTensor> weights_, moments_;
  std::unique_ptr<TrainingStateFile> training_state_;
};

/// Whether a tensor's elements count as parameters: those of integer buffers do not.
bool is_parameter(const StoredTensor& tensor);

}  // namespace bertha
