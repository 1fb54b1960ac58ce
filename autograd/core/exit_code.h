#pragma once

#include <exception>

#include "autograd/core/error.h"

namespace bertha {

/// What the program ends with.
enum ExitCode : int { kExitDone = 0, kExitFailed = 1, kExitConfiguration = 2, kExitDamagedFile = 3, kExitMismatch = 4 };

/// What an error that nobody catches ends the program with.
inline ExitCode exit_code_of(const std::exception& error) {
  if (dynamic_cast<const ConfigError*>(&error)) return kExitConfiguration;
  if (dynamic_cast<const DamagedFileError*>(&error)) return kExitDamagedFile;
  if (dynamic_cast<const MismatchError*>(&error)) return kExitMismatch;
  return kExitFailed;
}

}  // namespace bertha
