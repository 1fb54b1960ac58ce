#include "train/checkpoint/atomic_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "autograd/core/error.h"
#include "data/file.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

// Marks that nobody gives a file of their own.
constexpr std::string_view kTemporary = ".tmp-bertha-";
constexpr std::string_view kReplaced = ".old-bertha-";

std::string sibling(const std::string& target, std::string_view mark) {
  return target + std::string(mark) + std::to_string(getpid());
}

/// `NAME` of `NAME.tmp-bertha-123`; empty for any other name, so that no file of the user's is taken for a leftover.
std::string_view marked_name(std::string_view name, std::string_view mark) {
  const size_t end = name.rfind(mark);
  if (end == std::string_view::npos) return {};
  const std::string_view number = name.substr(end + mark.size());
  const bool digits = !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? name.substr(0, end) : std::string_view();
}

void remove_tree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  check<Error>(!error, path, ": cannot be removed: ", error.message());
}

// Afterwards `temporary` is gone or holds what stood at `target`.
void swap_into_place(const std::string& temporary, const std::string& target) {
  if (!path_exists(target)) return rename_into_place(temporary, target);
  if (renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
  // File systems without exchange, such as NFS: two steps, of which recover_directory undoes a lone first one.
  const std::string replaced = sibling(target, kReplaced);
  rename_into_place(target, replaced);
  try {
    rename_into_place(temporary, target);
  } catch (...) {
    rename_into_place(replaced, target);
    throw;
  }
  rename_into_place(replaced, temporary);
}

}  // namespace

AtomicDirectory::AtomicDirectory(std::string target) : target_(std::move(target)) {
  while (target_.size() > 1 && target_.ends_with('/')) target_.pop_back();
  temporary_ = sibling(target_, kTemporary);
  remove_tree(temporary_);
  make_directories(parent_directory(target_));
  const bool made = mkdir(temporary_.c_str(), 0777) == 0;
  check<Error>(made, temporary_, ": cannot be made: ", std::strerror(errno));
}

AtomicDirectory::~AtomicDirectory() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void AtomicDirectory::write_file(const std::string& name, const std::function<void(OutputFile&)>& fill) {
  OutputFile file(temporary_ + "/" + name);
  fill(file);
  manifest_.files.push_back(file.finish());
}

void AtomicDirectory::publish() {
  OutputFile file(temporary_ + "/" + std::string(kManifestName));
  file.write(manifest_.to_text());
  file.finish();
  sync_directory(temporary_);
  verify_directory(temporary_);
  swap_into_place(temporary_, target_);
  // What was replaced goes when it cannot come back any more; where that fails, recover_directory removes it.
  const std::string replaced = std::exchange(temporary_, "");
  sync_directory(parent_directory(target_));
  remove_tree(replaced);
}

void remove_directory(const std::string& path) {
  const std::string temporary = sibling(path, kTemporary);
  rename_into_place(path, temporary);
  // Otherwise a crash could bring back the name of a directory whose files are gone.
  sync_directory(parent_directory(path));
  remove_tree(temporary);
}

void recover_directory(const std::string& path) {
  std::vector<fs::path> unfinished, replaced;
  for (const std::string& name : names_of_directory(path)) {
    if (!marked_name(name, kTemporary).empty()) unfinished.push_back(fs::path(path) / name);
    if (!marked_name(name, kReplaced).empty()) replaced.push_back(fs::path(path) / name);
  }
  // What is about to be removed may still be what a crash would bring back.
  if (!unfinished.empty() || !replaced.empty()) sync_directory(path);
  for (const fs::path& leftover : replaced) {
    const fs::path target = leftover.parent_path() / marked_name(leftover.filename().native(), kReplaced);
    if (!path_exists(target)) {
      rename_into_place(leftover, target);
    } else {
      remove_tree(leftover);
    }
  }
  for (const fs::path& leftover : unfinished) remove_tree(leftover);
}

}  // namespace bertha
