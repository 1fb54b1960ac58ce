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

  /// Throws ConfigError where an expression has found nothing in `paths`.
  void require_match(bool matched, const std::string& paths) const;

 private:
  std::string expression_;
  std::optional<std::regex> regex_;
};

}  // namespace bertha
