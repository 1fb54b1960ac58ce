#include "train/inspect/file_tensors.h"

#include <algorithm>
#include <filesystem>

#include "autograd/core/error.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

void check_header(const std::string& path) {
  const std::string directory = parent_directory(path);
  const auto record = record_of(directory, std::filesystem::path(path).filename().native());
  if (record) verify_between_tensors(directory, *record);
}

}  // namespace

FileTensors::FileTensors(const std::string& path) : stored_(path), metadata_(stored_.metadata()) {
  check_header(stored_.path());
  for (const StoredWeight& weight : stored_.tensors()) weights_.push_back({&weight.file->file(), *weight.tensor});
  if (path_exists(path + "/" + std::string(kTrainingStateName))) add_moments(path);
}

void FileTensors::add_moments(const std::string& checkpoint) {
  training_state_ = std::make_unique<TrainingStateFile>(checkpoint);
  for (const TensorRecord& moment : training_state_->moments()) {
    const auto elements = static_cast<int64_t>(moment.bytes / sizeof(float));
    moments_.push_back({&training_state_->file(),
                        {moment.name, "F32", shape_of_moment(moment.name, elements), moment.offset, moment.bytes}});
  }
  std::ranges::sort(moments_, {}, [](const FileTensor& moment) { return moment.tensor.name; });
}

std::vector<int64_t> FileTensors::shape_of_moment(std::string_view name, int64_t elements) const {
  const StoredWeight* weight = stored_.find(name.substr(name.find('/') + 1));
  return weight && weight->tensor->numel() == elements ? weight->tensor->shape : std::vector{elements};
}

bool is_parameter(const StoredTensor& tensor) {
  return tensor.dtype.starts_with("F") || tensor.dtype.starts_with("BF");
}

}  // namespace bertha
