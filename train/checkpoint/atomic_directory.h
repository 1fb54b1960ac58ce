#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "train/checkpoint/manifest.h"
#include "train/checkpoint/output_file.h"

namespace bertha {

/// A directory that appears whole, with a manifest, or not at all: written beside its place as `NAME.tmp-bertha-PID`,
/// made durable, then renamed. What stood in its place stays until then. Errors name the file and leave everything as
/// it was.
class AtomicDirectory {
 public:
  explicit AtomicDirectory(std::string target);
  /// Removes what was not published.
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  void write_file(const std::string& name, const std::function<void(OutputFile&)>& fill);
  void publish();

 private:
  std::string target_, temporary_;  // the second empty once it is published
  Manifest manifest_;
};

/// Removes a directory so that it is never seen in part.
void remove_directory(const std::string& path);

/// Tidies a directory after a crash: unfinished siblings of the functions above go, and what was being replaced comes
/// back where its successor had not taken its place. Nobody else may be writing there.
void recover_directory(const std::string& path);

}  // namespace bertha
