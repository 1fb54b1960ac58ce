#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/file.h"
#include "train/checkpoint/output_file.h"
#include "train/checkpoint/stored_tensor.h"
#include "train/checkpoint/tensor_view.h"

namespace bertha {

/// A safetensors file: opening reads and checks the header alone; tensors are read one by one.
/// Source:  the format as published by Hugging Face (safetensors, "Format"), with every rule enforced: a header of at
/// most
///          100 MB that starts with '{', no duplicate key, sizes equal to shape times dtype, no hole, overlap or
///          trailing byte.
/// Throws:  DamagedFileError naming file and tensor; ConfigError where the file cannot be opened; MismatchError where a
///          tensor is missing or does not fit what it is read into.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const InputFile& file() const { return file_; }
  /// Sorted by name.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Null where there is none of this name.
  const StoredTensor* find(std::string_view name) const;
  const StoredTensor& at(std::string_view name) const;

  /// All elements in row-major order, converted as read_elements does.
  void read(std::string_view name, std::span<float> out) const;
  void read(std::string_view name, std::span<double> out) const;
  void read(std::string_view name, std::span<int64_t> out) const;

 private:
  template <class T>
  void read_as(std::string_view name, std::span<T> out) const;

  InputFile file_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Writes F32 tensors, sorted by name, as the reference implementation would: equal weights are equal bytes.
/// Throws:  Error where two tensors share a name or values do not fill their shape.
void write_safetensors(OutputFile& file, std::span<const TensorView> tensors);

}  // namespace bertha
