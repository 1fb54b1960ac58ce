#include "cli/inspect/subject.h"

#include <filesystem>

#include "autograd/core/error.h"
#include "data/file.h"
#include "data/premasked_set.h"
#include "data/shard_manifest.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/stored_weights.h"
#include "train/checkpoint/training_state.h"
#include "train/inspect/run_configuration.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

bool holds(const std::string& directory, std::string_view name) {
  return path_exists(directory + "/" + std::string(name));
}

void refuse_several_runs(const std::string& path) {
  for (const std::string& name : names_of_directory(path)) {
    const std::string seed = path + "/" + name;
    const bool is_run = name.starts_with("seed-") && holds(seed, kRunConfigurationName);
    check<ConfigError>(!is_run, path, ": holds a run for each seed (expected one of them, such as ", seed, ")");
  }
}

Kind kind_of_directory(const std::string& path) {
  if (holds(path, kTrainingStateName)) return Kind::kCheckpoint;
  if (holds(path, kWeightsName) || holds(path, kWeightsIndexName)) return Kind::kModel;
  if (holds(path, kManifestName)) return Kind::kModel;  // which has lost its weights
  if (holds(path, kShardManifestName)) return Kind::kShards;
  if (holds(path, kRunConfigurationName)) return Kind::kRun;
  if (holds_premasked_files(path)) return Kind::kPremasked;
  refuse_several_runs(path);
  fail<ConfigError>(path, ": holds no ", kWeightsName, ", no ", kTrainingStateName, ", no ", kShardManifestName,
                    ", no config.yaml and no HDF5 files (expected a model directory, checkpoint, ",
                    "safetensors file, shard directory, shard or run directory)");
}

}  // namespace

const char* to_text(Kind kind) {
  switch (kind) {
    case Kind::kSafetensors:
      return "safetensors file";
    case Kind::kModel:
      return "model directory";
    case Kind::kCheckpoint:
      return "checkpoint";
    case Kind::kShards:
      return "shard directory";
    case Kind::kShard:
      return "shard";
    case Kind::kPremasked:
      return "directory of masked samples";
    case Kind::kRun:
      return "run directory";
  }
  return "";
}

std::string Subject::directory() const {
  return path_is_directory(path) ? path : parent_directory(path);
}

std::string Subject::name() const {
  return fs::path(path).filename();
}

Subject recognize(const std::string& path) {
  check<ConfigError>(path_exists(path), path, ": does not exist");
  if (path_is_directory(path)) return {path, kind_of_directory(path)};
  const fs::path file(path);
  if (file.filename() == kTrainingStateName) return {parent_directory(path), Kind::kCheckpoint};
  if (file.extension() == ".h5") return {path, Kind::kShard};
  return {path, Kind::kSafetensors};
}

bool holds_tensors(Kind kind) {
  return kind == Kind::kSafetensors || kind == Kind::kModel || kind == Kind::kCheckpoint;
}

}  // namespace bertha
