#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/core/shape.h"
#include "data/file.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/output_file.h"

namespace bertha {

inline constexpr std::string_view kTrainingStateName = "training_state.h5";

/// What a run must share with the checkpoint it resumes from.
struct RunIdentity {
  std::string model;  // config.json
  uint64_t vocabulary_hash = 0;
  uint64_t data_hash = 0;
  uint64_t evaluation_hash = 0;  // of what decides which model is the best; 0: nothing, which fits any
  uint64_t seed = 0;
  int64_t global_batch_size = 0;
};

/// All that a run needs to go on, besides weights and moments. No state of a random generator: there is none.
struct TrainingState {
  int64_t step = 0;            // optimiser steps done
  int64_t samples = 0;         // consumed so far, which is the position in the training stream
  int64_t tokens = 0;          // trained on so far
  int64_t budget_used_ms = 0;  // of training.time_budget; 0 without one
  std::string optimizer;
  std::string configuration;  // the resolved YAML
  RunIdentity identity;
};

/// Throws MismatchError naming the first part in which `found`, of the checkpoint at `path`, differs.
void check_same_run(const std::string& path, const RunIdentity& found, const RunIdentity& expected);

/// One of the optimiser's moments, such as `first_moment`, for every published tensor.
struct Moment {
  std::string name;
  std::vector<std::pair<std::string, Shape>> tensors;
  /// All elements of tensors[i], valid until the next call. Asked for once each, in order, one moment after the other:
  /// other ranks may have to send them.
  std::function<std::span<const float>(size_t i)> fetch;
};

/// Writes training_state.h5, an HDF5 file: a scalar data set for each member of TrainingState (identity under
/// `identity/`), and for every moment a group of one float data set a tensor. The manifest knows where each of them
/// lies. Equal states are equal bytes.
void write_training_state(OutputFile& file, const TrainingState& state, std::span<const Moment> moments);

/// A checkpoint's training_state.h5, read where the manifest says that things are: libhdf5 is not safe against files
/// that were made to harm, and a forger can make a manifest, too. Throws DamagedFileError naming file and data set, and
/// MismatchError where one is missing, as in checkpoints of an earlier version, or moments are not those asked for.
class TrainingStateFile {
 public:
  explicit TrainingStateFile(const std::string& checkpoint_directory);

  const InputFile& file() const { return file_; }
  const TrainingState& state() const { return state_; }
  /// Named `MOMENT/TENSOR`, by ascending offset.
  std::vector<TensorRecord> moments() const;
  /// All elements of `MOMENT/TENSOR`, which must be as many as this shape has.
  void read_moment(std::string_view moment, std::string_view tensor, const Shape& shape, std::span<float> out) const;

 private:
  const TensorRecord& find(std::string_view name) const;
  void read(const TensorRecord& record, std::span<std::byte> out) const;
  void read(std::string_view name, std::string& text) const;
  template <class Integer>
  void read(std::string_view name, Integer& value) const;

  FileRecord record_;
  InputFile file_;
  TrainingState state_;
};

}  // namespace bertha
