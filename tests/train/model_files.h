#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "autograd/core/shape.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {

/// Weights in memory by name, to make directories of that others would have written.
class Weights {
 public:
  Weights() = default;
  explicit Weights(const SafetensorsFile& file) {
    for (const StoredTensor& stored : file.tensors()) {
      Shape shape;
      if (stored.shape.size() == 1) shape = {stored.shape[0]};
      if (stored.shape.size() == 2) shape = {stored.shape[0], stored.shape[1]};
      file.read(stored.name, std::span(add(stored.name, shape)));
    }
  }

  std::vector<float>& add(const std::string& name, const Shape& shape) {
    auto& [known, values] = tensors_[name];
    known = shape;
    values.assign(static_cast<size_t>(shape.numel()), 0.5f);
    return values;
  }
  void rename(const std::function<std::string(std::string)>& new_name) {
    std::map<std::string, Tensor> renamed;
    for (auto& [name, tensor] : tensors_) renamed[new_name(name)] = std::move(tensor);
    tensors_ = std::move(renamed);
  }

  void write(const std::string& directory) const {
    write_part(directory + "/model.safetensors", [](size_t) { return true; });
  }
  /// In two files, the tensors by turns, and an index.
  void write_indexed(const std::string& directory) const {
    nlohmann::json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", nlohmann::json::object()}};
    for (size_t part = 0; part < 2; ++part) {
      const std::string file = std::string("model-0000").append(std::to_string(part + 1)) + "-of-00002.safetensors";
      for (const std::string& name : write_part(directory + "/" + file, [&](size_t i) { return i % 2 == part; })) {
        index["weight_map"][name] = file;
      }
    }
    std::ofstream(directory + "/model.safetensors.index.json") << index.dump();
  }

 private:
  using Tensor = std::pair<Shape, std::vector<float>>;

  std::vector<std::string> write_part(const std::string& path, const std::function<bool(size_t)>& takes) const {
    std::vector<TensorView> views;
    std::vector<std::string> names;
    size_t i = 0;
    for (const auto& [name, tensor] : tensors_) {
      if (!takes(i++)) continue;
      views.push_back({name, tensor.first, tensor.second});
      names.push_back(name);
    }
    std::filesystem::remove(path);
    OutputFile file(path);
    write_safetensors(file, views);
    file.finish();
    return names;
  }

  std::map<std::string, Tensor> tensors_;
};

/// LayerNorm's tensors under the names that they have in the first published files.
inline std::string first_published_name(std::string name) {
  for (const auto& [now, then] :
       {std::pair("LayerNorm.weight", "LayerNorm.gamma"), std::pair("LayerNorm.bias", "LayerNorm.beta")}) {
    if (name.ends_with(now)) name.replace(name.size() - std::string(now).size(), name.npos, then);
  }
  return name;
}

}  // namespace bertha
