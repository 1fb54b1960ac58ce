#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "train/continued_file.h"

namespace bertha {

// What TensorBoard reads: TFRecords, each of which holds one Event message in protobuf's encoding.

/// CRC-32C (Castagnoli), as of iSCSI. Source: RFC 3720 appendix B.4, with its test vectors.
uint32_t crc32c(std::string_view bytes);

/// A record's bytes: length (uint64), masked CRC of the length, data, masked CRC of the data; little-endian.
/// Source: tensorflow/core/lib/io/record_writer.h.
std::string tf_record(std::string_view data);

using NamedNumbers = std::span<const std::pair<std::string, double>>;

/// An Event with one summary value a number, named `TAG_PREFIX/NAME`. TensorBoard's numbers are floats.
/// Units:   wall_time in seconds since 1970.
/// Source:  tensorflow/core/util/event.proto and framework/summary.proto, which give the field numbers.
std::string scalar_event(double wall_time, int64_t step, std::string_view tag_prefix, NamedNumbers numbers);

/// A file of such records, which TensorBoard finds where its name holds `tfevents`.
class EventFile {
 public:
  /// Opens `path` to continue after `step`: a torn last record and all records of later steps are cut. Throws Error
  /// where the file cannot be written.
  EventFile(const std::string& path, int64_t step);

  void write(int64_t step, std::string_view tag_prefix, NamedNumbers numbers);

  /// Makes all records durable. Throws Error.
  void sync() { file_.sync(); }

 private:
  ContinuedFile file_;
};

}  // namespace bertha
