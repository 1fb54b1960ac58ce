#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

namespace bertha {

/// Writes a matrix of floats as NumPy's `.npy`, row by row; the number of rows is known at the end, and until then the
/// file has another name, under which it is removed unless it is finished.
/// Source: NumPy's format specification, version 1.0.
class NpyFile {
 public:
  /// Throws Error where the file cannot be written.
  explicit NpyFile(const std::string& path);
  ~NpyFile();

  /// Whole rows of `columns` numbers, the same in every call. Throws Error where they are not, or the disk is full.
  void append(std::span<const float> rows, int64_t columns);

  /// Writes the header and gives the file its name. Throws Error.
  void finish();

 private:
  std::string header() const;

  std::string path_, unfinished_;
  std::ofstream file_;
  int64_t rows_ = 0, columns_ = 0;
};

}  // namespace bertha
