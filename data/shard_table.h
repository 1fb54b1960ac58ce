#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/file.h"
#include "data/hdf5_table.h"
#include "data/shard_manifest.h"

namespace bertha {

/// Rows of one data set of a shard, read where the manifest says that its chunks are: libhdf5 is not safe against files
/// that were made to harm, and a forger can make a manifest, too. Refers to the file and the record.
/// Throws:  DamagedFileError naming file and data set.
class ShardTable {
 public:
  /// Throws where the chunks are not as many as `rows` need.
  ShardTable(const InputFile& file, const TableFormat& format, const DataSetRecord& record, int64_t rows);

  /// Reads the rows from `first` that fill `out`. The chunk that was used last is kept.
  template <class T>
  void read(int64_t first, std::span<T> out);

 private:
  /// The bytes of a chunk, decompressed.
  std::span<const std::byte> chunk(size_t index);
  template <class... Parts>
  void check_table(bool condition, const Parts&... parts) const;

  const InputFile* file_;
  const DataSetRecord* record_;
  int64_t row_values_, value_bytes_;
  int64_t chunk_values_;
  size_t loaded_;  // the chunk whose bytes are here
  std::vector<std::byte> bytes_;
};

}  // namespace bertha
