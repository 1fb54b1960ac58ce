#pragma once

#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {

/// A tensor of any dtype as its bytes.
struct RawTensor {
  std::string name, dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};

template <class T>
RawTensor raw_tensor(const std::string& name, const std::string& dtype, const std::vector<T>& elements) {
  const auto bytes = std::as_bytes(std::span(elements));
  return {name, dtype, {std::ssize(elements)}, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

/// The length and the header of a file of tensors that lie one after the other.
inline std::string safetensors_header(const std::vector<RawTensor>& tensors, const std::vector<uint64_t>& bytes) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  uint64_t end = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    header[tensors[i].name] = {
        {"dtype", tensors[i].dtype}, {"shape", tensors[i].shape}, {"data_offsets", {end, end + bytes[i]}}};
    end += bytes[i];
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

inline void write_raw(const std::string& path, const std::vector<RawTensor>& tensors) {
  std::vector<uint64_t> bytes;
  std::string data;
  for (const RawTensor& tensor : tensors) {
    bytes.push_back(tensor.bytes.size());
    data += tensor.bytes;
  }
  write_bytes(path, safetensors_header(tensors, bytes) + data);
}

}  // namespace bertha
