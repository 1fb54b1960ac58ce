#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

inline constexpr std::string_view kManifestName = "MANIFEST.json";
/// Of its format, and with it of a checkpoint's.
inline constexpr uint64_t kManifestVersion = 1;

/// Where a tensor's elements are in a file, and the checksum they were written with.
struct TensorRecord {
  std::string name;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t checksum = 0;
};

/// What a file held when it was written.
struct FileRecord {
  std::string name;
  uint64_t bytes = 0;
  uint64_t checksum = 0;              // of the whole file
  uint64_t checksum_between = 0;      // of the bytes that belong to no tensor, so that they can be checked alone
  std::vector<TensorRecord> tensors;  // by ascending offset
};

/// MANIFEST.json: the files of a directory as they were written. It ends in a checksum of all of its own bytes before.
struct Manifest {
  std::vector<FileRecord> files;

  /// Throws DamagedFileError where the manifest is missing or is not what was written, MismatchError where another
  /// version of the format wrote it.
  static Manifest read(const std::string& directory);
  std::string to_text() const;

  /// Null where there is none of this name.
  const FileRecord* find(std::string_view name) const;
};

/// One thing that is not what was written.
struct Damage {
  std::string file;    // its path
  std::string tensor;  // empty where no tensor is concerned
  std::string what;
};
std::string to_sentence(const Damage& damage);

/// Reads every byte that the manifest knows of; empty where all are what was written. Throws as Manifest::read does.
std::vector<Damage> find_damage(const std::string& directory);
/// The same for one file.
std::vector<Damage> find_damage(const std::string& directory, const FileRecord& record);

/// Throws DamagedFileError with the first damage found, and how many more there are.
void verify_directory(const std::string& directory);
void verify_file(const std::string& directory, const FileRecord& record);

/// What the manifest of a directory says of a file; nothing where it does not list it, or where there is no manifest,
/// as in directories that other programs wrote. Throws as Manifest::read does.
std::optional<FileRecord> record_of(const std::string& directory, std::string_view name);

/// Throws DamagedFileError unless the files that hold no tensors, such as a model's configuration and tokenizer, are
/// what the manifest says, where there is one.
void verify_small_files(const std::string& directory);

/// Checks size and the bytes between tensors: quick for a file of any size. Throws DamagedFileError.
void verify_between_tensors(const std::string& directory, const FileRecord& record);

}  // namespace bertha
