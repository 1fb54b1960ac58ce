#include "train/checkpoint/stored_weights.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/core/error.h"
#include "data/file.h"
#include "data/json_reader.h"
#include "data/shown.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestIndex = uint64_t{2} << 20;  // of ten thousand tensors

bool is_file_beside(const std::string& name) {
  const bool printable = std::ranges::none_of(name, [](unsigned char c) { return c < ' ' || c == 0x7F; });
  return printable && name.ends_with(".safetensors") && fs::path(name).filename() == name;
}

// Of each tensor the name of its file, which lies beside the index.
std::map<std::string, std::string> read_map(std::string_view written, const std::string& path) {
  using Kind = JsonReader::Kind;
  check<DamagedFileError>(JsonReader(written, path).kind() == Kind::kObject, path,
                          ": holds no object 'weight_map' of tensors with their files");
  std::map<std::string, std::string> files;
  JsonReader reader(written, path);
  reader.object([&](const std::string& tensor) {
    const std::string_view file = reader.skip();
    check<DamagedFileError>(JsonReader(file, path).kind() == Kind::kText, path, ": the file of tensor ", shown(tensor),
                            " is of type ", json_type_name(file), " (expected a name)");
    const std::string name = JsonReader(file, path).text();
    check<DamagedFileError>(is_file_beside(name), path, ": tensor ", shown(tensor), " is in ", shown(name),
                            " (expected a safetensors file beside the index)");
    files.emplace(tensor, name);
  });
  return files;
}

std::map<std::string, std::string> read_index(const std::string& path) {
  const std::string index = read_text(path, kLargestIndex);
  check_json(index, path);
  std::string_view map = "null";
  JsonReader reader(index, path);
  if (reader.kind() == JsonReader::Kind::kObject) {
    reader.object([&](const std::string& key) {
      const std::string_view value = reader.skip();
      if (key == "weight_map") map = value;
    });
  }
  return read_map(map, path);
}

}  // namespace

StoredWeights::StoredWeights(const std::string& path) : path_(path) {
  if (path_is_directory(path)) {
    const std::string whole = path + "/" + std::string(kWeightsName);
    const std::string index = path + "/" + std::string(kWeightsIndexName);
    const bool is_whole = path_exists(whole), is_there = is_whole || path_exists(index);
    check<DamagedFileError>(is_there || !record_of(path, kWeightsName), whole, ": is missing");
    check<ConfigError>(is_there, path, ": holds no weights (looked for ", kWeightsName, " and ", kWeightsIndexName,
                       ")");
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
      check<DamagedFileError>(place != places.end() && place->second == name, file.path(), ": holds ",
                              shown(tensor.name), ", which ", path_,
                              place == places.end() ? " does not list" : " says is elsewhere");
    }
  }
  std::ranges::sort(tensors_, {}, &StoredWeight::name);
  for (const auto& [tensor, name] : places) {
    check<DamagedFileError>(find(tensor) != nullptr, path_, ": tensor ", shown(tensor), " is not in ", name);
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
