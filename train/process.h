#pragma once

#include <sys/resource.h>

namespace bertha {

/// The most memory this process has had resident, in MiB.
inline double peak_rss_mib() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace bertha
