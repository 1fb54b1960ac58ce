#include "cli/npy_file.h"

#include <fmt/format.h>

#include <cstdio>

#include "autograd/core/error.h"
#include "data/file.h"

namespace bertha {
namespace {

constexpr size_t kHeaderBytes = 128;  // room for any shape, and a multiple of 64 as the format asks

}  // namespace

NpyFile::NpyFile(const std::string& path)
    : path_(path), unfinished_(unfinished_name(path)), file_(unfinished_, std::ios::binary) {
  file_ << header();
  check<Error>(file_.good(), path, ": cannot be written");
}

NpyFile::~NpyFile() {
  std::remove(unfinished_.c_str());  // nothing has this name once it is finished
}

std::string NpyFile::header() const {
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows_, columns_);
  constexpr size_t kFixedBytes = 10;
  text.resize(kHeaderBytes - kFixedBytes - 1, ' ');
  const auto length = static_cast<char>(kHeaderBytes - kFixedBytes);
  return std::string("\x93NUMPY\x01\x00", 8) + std::string({length, '\0'}) + text + "\n";
}

void NpyFile::append(std::span<const float> rows, int64_t columns) {
  check<Error>(columns_ == 0 || columns_ == columns, path_, ": rows of ", columns, " numbers after rows of ", columns_);
  columns_ = columns;
  rows_ += std::ssize(rows) / columns;
  file_.write(reinterpret_cast<const char*>(rows.data()), static_cast<std::streamsize>(rows.size_bytes()));
  check<Error>(file_.good(), path_, ": cannot be written");
}

void NpyFile::finish() {
  file_.seekp(0);
  file_ << header();
  check<Error>(file_.flush().good(), path_, ": cannot be written");
  rename_into_place(unfinished_, path_);
}

}  // namespace bertha
