#pragma once

#include <cstdlib>
#include <string>

namespace bertha {

/// The interpreter for tests that compare with Python packages: BERTHA_PYTHON, else python3.
inline std::string python() {
  const char* given = std::getenv("BERTHA_PYTHON");
  return given ? given : "python3";
}

/// Whether it has a package; a test that needs one skips itself otherwise.
inline bool python_has(const std::string& package) {
  return std::system(("'" + python() + "' -c 'import " + package + "' >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace bertha
