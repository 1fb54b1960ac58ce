#pragma once

#include <chrono>
#include <optional>

namespace bertha {

/// While one lives, SIGTERM, SIGINT and SIGUSR1 are noted instead of ending the process. Several may live, one within
/// the other.
class StopSignals {
 public:
  StopSignals() : StopSignals(nullptr) {}
  /// Until the next one is made, and where there are words, a signal ends the process with 0 and the words on stderr.
  /// They must outlive it.
  explicit StopSignals(const char* words);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Whether one has come.
  static bool received();
  /// Time since the first SIGTERM, where one has come.
  static std::optional<std::chrono::milliseconds> since_termination();
};

}  // namespace bertha
