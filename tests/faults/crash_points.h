#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/temporary_directory.h"

namespace bertha {

/// One of an action's calls into the operating system that the fault layer counts.
struct CountedCall {
  std::string name, path;
};

/// As tests/faults/layer/fault_layer.h names them.
struct Fault {
  std::string kind;  // empty: none
  int64_t at = 0;    // the number of the call, from 1
  uint64_t lot = 0;

  bool is_of_machine() const { return kind.starts_with("lose"); }
  bool ends_process() const { return is_of_machine() || kind.starts_with("kill"); }
  bool stays() const { return kind.ends_with("-on"); }
};

/// How the action ended.
struct Ending {
  bool killed = false;
  std::string sentence;  // of the Error that it threw; empty where it came to its end
};

/// Runs an action again and again, each time from the same state of one directory and in a process of its own, with
/// another fault.
class CrashPoints {
 public:
  enum class Exchange { kSupported, kRefused };

  /// `prepare` fills `directory()` once. The action works there, and throws nothing but Error. It runs in a child of
  /// this process, in which no other thread may hold what it needs.
  CrashPoints(const std::function<void(const std::string& directory)>& prepare,
              std::function<void(const std::string& directory)> action, Exchange exchange);

  const std::string& directory() const { return directory_; }
  /// Of the action without a fault.
  const std::vector<CountedCall>& calls() const { return calls_; }

  Ending run(const Fault& fault) const;

  /// Runs every kind of fault at every call, or at one call in `stride`, and looks at what is left. Stops at the first
  /// for which the test has failed, and says which that was.
  void at_every_call(const std::vector<std::string>& kinds, int64_t stride,
                     const std::function<void(const Fault&, const Ending&)>& look) const;

 private:
  std::vector<CountedCall> read_trace() const;

  TemporaryDirectory folder_;
  std::string directory_ = folder_ / "place", before_ = folder_ / "before", trace_ = folder_ / "trace",
              sentence_ = folder_ / "sentence";
  std::function<void(const std::string&)> action_;
  Exchange exchange_;
  std::vector<CountedCall> calls_;
};

inline const std::vector<std::string> kEnds{"kill", "kill-half", "lose", "lose-bytes", "lose-some"};
inline const std::vector<std::string> kErrors{"enospc", "enospc-on", "eio", "eio-on", "short"};

}  // namespace bertha
