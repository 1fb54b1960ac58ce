#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// A data set of rows of unsigned little-endian integers, compressed in chunks of whole rows. With one column it has
/// rank 1, otherwise rank 2.
struct TableFormat {
  std::string name;
  int64_t columns;
  int64_t chunk_rows;
  int64_t value_bytes;  // 1, 2, 4 or 8
};

/// Rows and columns of a data set; of rank 1 it has one column.
struct TableShape {
  int64_t rows, columns;
};

/// Bytes of a file.
struct Extent {
  int64_t offset, size;

  bool operator==(const Extent&) const = default;
};

/// Builds an HDF5 file in memory: where the disk is full HDF5 itself never has to cope, and equal content is equal
/// bytes.
class Hdf5Image {
 public:
  Hdf5Image();
  ~Hdf5Image();
  Hdf5Image(const Hdf5Image&) = delete;
  Hdf5Image& operator=(const Hdf5Image&) = delete;

  void add_table(const TableFormat& format);
  /// `values` are whole rows.
  void append(std::string_view table, std::span<const int32_t> values);
  void append(std::string_view table, std::span<const uint64_t> values);
  void set_attribute(const std::string& name, uint64_t value);
  void set_attribute(const std::string& name, const std::string& value);

  /// The file as it is now; valid until it changes.
  std::span<const std::byte> bytes() const;
  /// Where the chunks of a table lie in it, in the order of their rows.
  std::vector<Extent> chunks(std::string_view table) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads tables of a file that may be anything. It is opened read-only and without locks once check_hdf5_layout has
/// passed it. libhdf5 1.10 itself is not safe against every damaged file: another process should have read it before
/// (see PremaskedSet). Throws DamagedFileError naming file and table.
class Hdf5Tables {
 public:
  explicit Hdf5Tables(const std::string& path);
  ~Hdf5Tables();
  Hdf5Tables(Hdf5Tables&&) noexcept;

  /// Opens a table that any program may have written: of rank 1 or 2, of integers of any width, within this file, and
  /// compressed, if at all, by nothing but deflate.
  TableShape open(const std::string& name);
  /// Reads the rows from `first` that fill `out`; values that it cannot hold become its least or most.
  void read(std::string_view table, int64_t first, std::span<int32_t> out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The version of the HDF5 library.
std::string hdf5_version();

}  // namespace bertha
