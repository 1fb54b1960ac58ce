#include "train/checkpoint/atomic_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "autograd/core/error.h"
#include "data/file.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".tmp-";
constexpr std::string_view kReplaced = ".old-";

std::string sibling(const std::string& target, std::string_view mark) {
  return target + std::string(mark) + std::to_string(getpid());
}

/// `NAME` of `NAME.tmp-123`; empty for any other name, so that no file of the user's is taken for a leftover.
std::string_view marked_name(std::string_view name, std::string_view mark) {
  const size_t end = name.rfind(mark);
  if (end == std::string_view::npos) return {};
  const std::string_view number = name.substr(end + mark.size());
  const bool digits = !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? name.substr(0, end) : std::string_view();
}

std::string parent_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

void rename_into_place(const std::string& from, const std::string& to) {
  check<Error>(std::rename(from.c_str(), to.c_str()) == 0, to, ": cannot be put in place: ", std::strerror(errno));
}

// Afterwards `temporary` is gone or holds what stood at `target`.
void swap_into_place(const std::string& temporary, const std::string& target) {
  if (!fs::exists(target)) return rename_into_place(temporary, target);
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
  std::error_code error;
  fs::remove_all(temporary_, error);
  fs::create_directories(temporary_, error);
  check<Error>(!error, temporary_, ": cannot be created: ", error.message());
}

AtomicDirectory::~AtomicDirectory() {
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
  sync_directory(parent_of(target_));
}

void replace_file(const std::string& path, std::string_view content) {
  const std::string temporary = sibling(path, kTemporary);
  std::remove(temporary.c_str());
  try {
    OutputFile file(temporary);
    file.write(content);
    file.finish();
    rename_into_place(temporary, path);
  } catch (...) {
    std::remove(temporary.c_str());
    throw;
  }
  sync_directory(parent_of(path));
}

void remove_directory(const std::string& path) {
  const std::string temporary = sibling(path, kTemporary);
  rename_into_place(path, temporary);
  fs::remove_all(temporary);
}

void recover_directory(const std::string& path) {
  std::vector<fs::path> unfinished, replaced;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename();
    if (!marked_name(name, kTemporary).empty()) unfinished.push_back(entry.path());
    if (!marked_name(name, kReplaced).empty()) replaced.push_back(entry.path());
  }
  for (const fs::path& leftover : replaced) {
    const fs::path target = leftover.parent_path() / marked_name(leftover.filename().native(), kReplaced);
    if (!fs::exists(target)) {
      rename_into_place(leftover, target);
    } else {
      fs::remove_all(leftover);
    }
  }
  for (const fs::path& leftover : unfinished) fs::remove_all(leftover);
}

}  // namespace bertha
