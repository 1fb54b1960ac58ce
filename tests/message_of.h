#pragma once

#include <string>

namespace bertha {

/// The sentence of the E that f() throws.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace bertha
