#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bertha {

/// The most memory this process has had resident, in MiB.
double peak_rss_mib();

/// Numbers that rise as ranges: "0-3,8".
std::string ranges_text(const std::vector<int>& numbers);

/// `killed by signal 9` or `exited with code 1`, of a status as wait gives it.
std::string end_text(int status);

/// How a shell would count it: the exit code, or 128 and the signal.
int exit_code_of(int status);

/// Refers to a process until closed, readable once it has ended; below 0 where the system cannot.
int open_process(int pid);

/// Processes that the kernel has killed since it started because memory ran out; 0 where it does not say.
int64_t out_of_memory_kills();

/// The status with which another process, which `descriptor` of `open_process` refers to, has ended; -1 where nobody
/// can say any more.
int end_status(int pid, int descriptor);

}  // namespace bertha
