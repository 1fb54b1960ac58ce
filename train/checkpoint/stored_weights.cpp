#include "train/checkpoint/stored_weights.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/checkpoint/checkpoint.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kLargestIndex = uint64_t{32} << 20;

// Of each tensor the name of its file, which lies beside the index.
std::map<std::string, std::string> read_index(const std::string& path) {
  const json index = json::parse(read_text(path, kLargestIndex), nullptr, /*allow_exceptions=*/false);
  const bool has_map = index.is_object() && index.contains("weight_map") && index["weight_map"].is_object();
  check<DamagedFileError>(has_map, path, ": holds no object 'weight_map' of tensors with their files");
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    check<DamagedFileError>(file.is_string(), path, ": the file of tensor '", tensor, "' is of type ", file.type_name(),
                            " (expected a name)");
    const auto name = file.get<std::string>();
    check<DamagedFileError>(name.ends_with(".safetensors") && fs::path(name).filename() == name, path, ": tensor '",
                            tensor, "' is in '", name, "' (expected a safetensors file beside the index)");
    files.emplace(tensor, name);
  }
  return files;
}

}  // namespace

StoredWeights::StoredWeights(const std::string& path) : path_(path) {
  if (fs::is_directory(path)) {
    const fs::path whole = fs::path(path) / kWeightsName, index = fs::path(path) / kWeightsIndexName;
    const bool is_whole = fs::exists(whole);
    check<ConfigError>(is_whole || fs::exists(index), path, ": holds no weights (looked for ", kWeightsName, " and ",
                       kWeightsIndexName, ")");
    path_ = is_whole ? whole : index;
  }
  if (path_.ends_with(kWeightsIndexName)) {
    add_indexed_files();
  } else {
    add_file(path_);
  }
}

void StoredWeights::add_file(const std::string& path) {
  const SafetensorsFile& file = files_.emplace_back(path);
  for (const StoredTensor& tensor : file.tensors()) tensors_.push_back({&file, &tensor});
}

void StoredWeights::add_indexed_files() {
  const std::map<std::string, std::string> places = read_index(path_);
  std::set<std::string> names;
  for (const auto& [tensor, name] : places) names.insert(name);
  for (const std::string& name : names) {
    add_file(fs::path(path_).parent_path() / name);
    const SafetensorsFile& file = files_.back();
    for (const StoredTensor& tensor : file.tensors()) {
      const auto place = places.find(tensor.name);
      check<DamagedFileError>(place != places.end() && place->second == name, file.path(), ": holds '", tensor.name,
                              "', which ", path_, place == places.end() ? " does not list" : " says is elsewhere");
    }
  }
  std::ranges::sort(tensors_, {}, &StoredWeight::name);
  for (const auto& [tensor, name] : places) {
    check<DamagedFileError>(find(tensor) != nullptr, path_, ": tensor '", tensor, "' is not in ", name);
  }
}

const StoredWeight* StoredWeights::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tensors_, name, {}, &StoredWeight::name);
  return found != tensors_.end() && found->name() == name ? &*found : nullptr;
}

std::map<std::string, std::string> StoredWeights::metadata() const {
  std::map<std::string, std::string> all;
  for (const SafetensorsFile& file : files_) all.insert(file.metadata().begin(), file.metadata().end());
  return all;
}

}  // namespace bertha
