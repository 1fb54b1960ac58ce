#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// A regular file, read at any offset; safe to share between threads.
/// Throws:  ConfigError where it cannot be opened, DamagedFileError where it ends before a range, Error where reading
///          fails.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// In bytes, when it was opened.
  uint64_t size() const { return size_; }

  void read(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

/// The whole of a small file; DamagedFileError beyond `limit` bytes, for a file may be anything.
std::string read_text(const std::string& path, uint64_t limit);

/// A file that does not exist before, written from front to back, and worth nothing until `finish` returned. Every
/// failure is an Error that names it.
class NewFile {
 public:
  explicit NewFile(std::string path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Makes the content durable and closes the file.
  void finish();

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// Writes all bytes, in several calls where the system takes fewer. Throws Error naming the file.
void write_all(int descriptor, const std::string& path, std::span<const std::byte> bytes);

/// Gives a file new content, or leaves the old, whatever happens: under a temporary name, synced, then renamed. Throws
/// Error naming the file where the disk is full or fails.
void write_durably(const std::string& path, std::span<const std::byte> content);
void write_durably(const std::string& path, std::string_view content);

/// What a file is called that is to have the name `path` once it is whole.
std::string unfinished_name(const std::string& path);

/// Removes a file where there is one. Throws Error.
void remove_file(const std::string& path);

/// Removes what a write_durably of `path` left that did not come to its end. Throws Error.
void remove_unfinished(const std::string& path);

/// Puts what is at `from` in the place of `to`, in the same directory; a crash may still undo it. Throws Error.
void rename_into_place(const std::string& from, const std::string& to);

/// Makes the names in a directory durable. Throws Error.
void sync_directory(const std::string& path);

/// Makes a directory, and those it lies in, where they are missing, and makes their names durable. Throws ConfigError
/// where something else has the name, Error where it cannot be made.
void make_directories(const std::string& path);

/// Whether there is anything, or a directory, at a path. Throws ConfigError where that cannot be looked at.
bool path_exists(const std::string& path);
bool path_is_directory(const std::string& path);

/// Why there is no regular file at a path, such as "is missing"; empty where there is one.
std::string why_no_file(const std::string& path);

/// The names in a directory, in no order. Throws Error.
std::vector<std::string> names_of_directory(const std::string& path);

/// "." where the path has none.
std::string parent_directory(const std::string& path);

}  // namespace bertha
