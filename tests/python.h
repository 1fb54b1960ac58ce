#pragma once

#include <cstdlib>
#include <string>

namespace bertha {

/// The interpreter for tests that compare with Python packages: BERTHA_PYTHON, else python3.
inline std::string python() {
  const char* given = std::getenv("BERTHA_PYTHON");
  return given ? given : "python3";
}

/// As one word of a shell's command.
inline std::string quoted(const std::string& word) {
  return std::string("'").append(word).append("'");
}

/// Whether it has a package; a test that needs one skips itself otherwise.
inline bool python_has(const std::string& package) {
  const std::string program = "import " + package;
  return std::system((quoted(python()) + " -c " + quoted(program) + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace bertha
