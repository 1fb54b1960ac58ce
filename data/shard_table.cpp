#include "data/shard_table.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "autograd/core/error.h"

namespace bertha {
namespace {

// One chunk of token ids, or several of a column, whose chunks hold the rows of many of those.
constexpr size_t kKeptBytes = size_t{128} << 10;

template <class Stored, class T>
void widen_from(std::span<const std::byte> from, std::span<T> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    Stored value;
    std::memcpy(&value, from.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<T>(std::min<uint64_t>(value, std::numeric_limits<T>::max()));
  }
}

/// Little-endian values of as many bytes as there are for each; one that T cannot hold becomes its most.
template <class T>
void widen(std::span<const std::byte> from, std::span<T> out) {
  switch (from.size() / out.size()) {
    case 1:
      return widen_from<uint8_t>(from, out);
    case 2:
      return widen_from<uint16_t>(from, out);
    case 4:
      return widen_from<uint32_t>(from, out);
    default:
      return widen_from<uint64_t>(from, out);
  }
}

}  // namespace

template <class... Parts>
void ShardTable::check_table(bool condition, const Parts&... parts) const {
  check<DamagedFileError>(condition, file_->path(), ": data set '", record_->name, "' ", parts...);
}

ShardTable::ShardTable(const InputFile& file, const TableFormat& format, const DataSetRecord& record)
    : file_(&file),
      record_(&record),
      row_values_(format.columns),
      value_bytes_(format.value_bytes),
      chunk_values_(format.chunk_rows * format.columns),
      chunks_(std::max<size_t>(1, kKeptBytes / static_cast<size_t>(chunk_values_ * value_bytes_))) {}

ShardTable::Chunk ShardTable::load(size_t index) const {
  const Extent extent = record_->chunks[index];
  Chunk chunk{index, std::vector<std::byte>(static_cast<size_t>(chunk_values_ * value_bytes_))};
  uLongf size = chunk.bytes.size();
  uLong compressed_size = static_cast<uLong>(extent.size);
  check_table(compressed_size <= compressBound(size), "has a chunk ", index, " of ", compressed_size,
              " bytes, more than ", size, " can need");
  std::vector<std::byte> compressed(compressed_size);
  file_->read(static_cast<uint64_t>(extent.offset), compressed);
  const int status = uncompress2(reinterpret_cast<Bytef*>(chunk.bytes.data()), &size,
                                 reinterpret_cast<const Bytef*>(compressed.data()), &compressed_size);
  check_table(status == Z_OK && size == chunk.bytes.size() && compressed_size == compressed.size(), "has a chunk ",
              index, " that does not hold ", chunk.bytes.size(), " bytes");
  return chunk;
}

template <class T>
void ShardTable::read(int64_t first, std::span<T> out) {
  int64_t value = first * row_values_;
  while (!out.empty()) {
    const int64_t within = value % chunk_values_;
    const auto part = out.first(std::min(out.size(), static_cast<size_t>(chunk_values_ - within)));
    const auto index = static_cast<size_t>(value / chunk_values_);
    const Chunk& chunk = chunks_.get([&](const Chunk& c) { return c.index == index; }, [&] { return load(index); });
    widen(std::span(chunk.bytes).subspan(within * value_bytes_, part.size() * value_bytes_), part);
    value += std::ssize(part);
    out = out.subspan(part.size());
  }
}

template void ShardTable::read(int64_t, std::span<int32_t>);
template void ShardTable::read(int64_t, std::span<uint64_t>);

}  // namespace bertha
