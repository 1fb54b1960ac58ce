#pragma once

#include <span>
#include <string_view>

namespace bertha {

/// A script or style sheet that the build put into the program.
struct Asset {
  std::string_view name;  // of its file
  std::string_view text;
  std::string_view hash;  // as a Content-Security-Policy names it: sha256-BASE64
};

std::span<const Asset> assets();

}  // namespace bertha
