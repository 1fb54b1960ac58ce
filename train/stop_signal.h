#pragma once

namespace bertha {

/// While one lives, SIGTERM, SIGINT and SIGUSR1 are noted instead of ending the process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Whether one has come.
  static bool received();
};

}  // namespace bertha
