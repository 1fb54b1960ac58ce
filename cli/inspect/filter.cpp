#include "cli/inspect/filter.h"

#include <algorithm>

#include "autograd/core/error.h"

namespace bertha {
namespace {

// std::regex recurses with the length of what it looks at.
constexpr size_t kMaxName = 4096;

}  // namespace

NameFilter::NameFilter(const std::string& expression) : expression_(expression) {
  if (expression.empty()) return;
  try {
    regex_.emplace(expression);
  } catch (const std::regex_error& error) {
    fail<ConfigError>("--filter: '", expression, "' is not a regular expression: ", error.what());
  }
}

std::vector<FileTensor> NameFilter::operator()(const std::vector<FileTensor>& tensors) const {
  std::vector<FileTensor> chosen;
  std::ranges::copy_if(tensors, std::back_inserter(chosen), [&](const FileTensor& one) {
    const std::string& name = one.tensor.name;
    return !regex_ || (name.size() <= kMaxName && std::regex_search(name, *regex_));
  });
  return chosen;
}

void NameFilter::require_match(bool matched, const std::string& paths) const {
  check<ConfigError>(matched || !regex_, "--filter: no tensor of ", paths, " has a name that contains a match of '",
                     expression_, "'");
}

}  // namespace bertha
