#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "data/byte_stream.h"

namespace bertha {

/// Whether a file of this name holds JSON lines, compressed or not.
bool holds_json_lines(std::string_view path);

/// A file's bytes, decompressed where its name ends in `.gz`. Throws what FileStream and GzipStream throw.
std::unique_ptr<ByteStream> open_bytes(const std::string& path);

/// A text file's plain text: a sentence or paragraph a line, a blank line between documents. The ending of its name
/// says how it is stored: `.gz` compressed, `.jsonl` or `.jsonl.gz` as JSON lines, all others as they are. Throws what
/// FileStream, GzipStream and JsonLines throw.
std::unique_ptr<ByteStream> open_text(const std::string& path);

/// The bytes of the plain text; what is not stored plainly is read for it from front to back.
/// Throws ConfigError besides, for what is not a regular file.
int64_t text_bytes(const std::string& path);

}  // namespace bertha
