#include "train/first_difference.h"

#include <sstream>

namespace bertha {

std::pair<std::string, std::string> first_different_lines(const std::string& a, const std::string& b) {
  std::istringstream lines_a(a), lines_b(b);
  std::string line_a, line_b;
  do {
    line_a.clear();
    line_b.clear();
    std::getline(lines_a, line_a);
    std::getline(lines_b, line_b);
  } while (line_a == line_b && lines_a && lines_b);
  return {line_a, line_b};
}

}  // namespace bertha
