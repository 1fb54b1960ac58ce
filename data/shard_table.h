#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/file.h"
#include "data/hdf5_table.h"
#include "data/recently_used.h"
#include "data/shard_manifest.h"

namespace bertha {

/// Rows of one data set of a shard, read where the manifest says that its chunks are: libhdf5 is not safe against files
/// that were made to harm, and a forger can make a manifest, too. Refers to the file and the record.
/// Throws:  DamagedFileError naming file and data set.
class ShardTable {
 public:
  ShardTable(const InputFile& file, const TableFormat& format, const DataSetRecord& record);

  /// Reads the rows from `first` that fill `out`. The last few chunks are kept.
  template <class T>
  void read(int64_t first, std::span<T> out);

 private:
  struct Chunk {
    size_t index;
    std::vector<std::byte> bytes;  // decompressed
  };

  Chunk load(size_t index) const;
  template <class... Parts>
  void check_table(bool condition, const Parts&... parts) const;

  const InputFile* file_;
  const DataSetRecord* record_;
  int64_t row_values_, value_bytes_, chunk_values_;
  RecentlyUsed<Chunk> chunks_;
};

}  // namespace bertha
