#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "train/inspect/file_tensors.h"

namespace bertha {

/// The tensors that --filter asks for. Throws ConfigError for what is no regular expression.
class NameFilter {
 public:
  explicit NameFilter(const std::string& expression);

  /// Those whose name contains a match; all where the expression is empty.
  std::vector<FileTensor> operator()(const std::vector<FileTensor>& tensors) const;

 private:
  std::optional<std::regex> regex_;
};

}  // namespace bertha
