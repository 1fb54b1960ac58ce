#pragma once

#include <string>

namespace bertha {

/// The version with all that a report of a problem needs: compiler, libraries, and what the processor offers.
std::string version_text();

}  // namespace bertha
