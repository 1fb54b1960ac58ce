#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace bertha {

/// The folder with data sets and reference results that is not part of the repository: BERTHA_SHARED, else `shared`
/// beside the source folder; empty where there is none. A test that needs it skips itself then.
inline std::optional<std::filesystem::path> shared_folder() {
  const char* given = std::getenv("BERTHA_SHARED");
  const std::filesystem::path folder =
      given ? std::filesystem::path(given) : std::filesystem::path(BERTHA_SOURCE_DIR).parent_path() / "shared";
  return std::filesystem::is_directory(folder) ? std::optional(folder) : std::nullopt;
}

}  // namespace bertha
