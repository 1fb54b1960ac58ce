#pragma once

#include <string>
#include <vector>

namespace bertha {

/// The most memory this process has had resident, in MiB.
double peak_rss_mib();

/// Numbers that rise as ranges: "0-3,8".
std::string ranges_text(const std::vector<int>& numbers);

}  // namespace bertha
