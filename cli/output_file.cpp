#include "cli/output_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace bertha {

CLI::Validator output_file() {
  const auto refusal = [](const std::string& path) -> std::string {
    std::error_code error;
    const auto type = std::filesystem::symlink_status(path, error).type();
    const bool fits = type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::regular;
    return fits ? "" : path + ": is not a regular file (expected one to replace, or a new name)";
  };
  return {refusal, "FILE"};
}

void say_written(const std::string& path, uint64_t bytes) {
  fmt::print("{} ({:.1f} MB)\n", path, static_cast<double>(bytes) / 1e6);
}

}  // namespace bertha
