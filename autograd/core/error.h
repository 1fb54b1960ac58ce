#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace bertha {

/// A failure with one sentence for the user: `where: what, with the actual values (what was expected)`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes, sizes or types of tensors that do not fit an operation.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Wrong usage or configuration; the process exits with 2.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A file whose bytes are not what its format promises; the process exits with 3.
class DamagedFileError : public Error {
 public:
  using Error::Error;
};

/// Files, or ranks, that do not fit together; the process exits with 4.
class MismatchError : public Error {
 public:
  using Error::Error;
};

/// Throws E with all parts streamed into one sentence.
template <class E = Error, class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream sentence;
  (sentence << ... << parts);
  throw E(sentence.str());
}

/// Throws E unless `condition`; the parts are formatted only on failure.
template <class E = ShapeError, class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail<E>(parts...);
}

}  // namespace bertha
