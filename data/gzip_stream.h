#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/byte_stream.h"

namespace bertha {

/// What a gzip file (RFC 1952) holds: of several members one after the other, of zero bytes behind them nothing.
/// Throws what FileStream throws, and DamagedFileError naming the file and the byte where it ends within a member or a
/// member does not match its checksum or is none.
class GzipStream : public ByteStream {
 public:
  explicit GzipStream(const std::string& path);
  ~GzipStream() override;

  size_t read(std::span<char> out) override;

 private:
  struct Inflater;

  bool refill();
  bool find_member();

  std::string path_;
  FileStream file_;
  std::vector<char> compressed_;
  int64_t file_offset_ = 0;  // behind what is in `compressed_`
  std::unique_ptr<Inflater> inflater_;
  bool inside_member_ = true;
};

}  // namespace bertha
