#pragma once

#include <zlib.h>

#include <fstream>
#include <string>
#include <string_view>

namespace bertha {

/// One gzip member that holds `content`.
inline std::string gzip(std::string_view content) {
  z_stream z{};
  deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  std::string compressed(deflateBound(&z, content.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  z.avail_in = static_cast<uInt>(content.size());
  z.next_out = reinterpret_cast<Bytef*>(compressed.data());
  z.avail_out = static_cast<uInt>(compressed.size());
  deflate(&z, Z_FINISH);
  compressed.resize(z.total_out);
  deflateEnd(&z);
  return compressed;
}

inline std::string write_gzip(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << gzip(content);
  return path;
}

}  // namespace bertha
