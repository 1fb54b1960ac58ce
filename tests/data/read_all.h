#pragma once

#include <span>
#include <string>

#include "data/byte_stream.h"

namespace bertha {

/// Reads a stream to its end, `part` bytes at a time.
inline std::string read_all(ByteStream& stream, size_t part) {
  std::string content;
  for (size_t got = part; got == part;) {
    content.resize(content.size() + part);
    got = stream.read(std::span(content).last(part));
    content.resize(content.size() - part + got);
  }
  return content;
}

}  // namespace bertha
