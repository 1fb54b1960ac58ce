#pragma once

#include <string>
#include <utility>

namespace bertha {

/// The first lines in which two texts differ, of `a` and of `b`; empty where a text has ended.
std::pair<std::string, std::string> first_different_lines(const std::string& a, const std::string& b);

}  // namespace bertha
