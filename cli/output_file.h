#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace bertha {

/// Of an option that names a file to write: a new name, or a regular file, which is replaced. Anything else, such as a
/// device, would be replaced, too, or is a directory.
CLI::Validator output_file();

/// One line on stdout that names a page that was written, and its size.
void say_written(const std::string& path, uint64_t bytes);

}  // namespace bertha
