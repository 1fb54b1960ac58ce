#pragma once

#include <string>

#include "autograd/core/error.h"

namespace bertha {

/// Calls `f`; an error of it is thrown on with `place`, which it is about, in front.
template <class F>
void at_place(const std::string& place, F&& f) {
  try {
    f();
  } catch (const ConfigError& error) {
    fail<ConfigError>(place, ": ", error.what());
  } catch (const DamagedFileError& error) {
    fail<DamagedFileError>(place, ": ", error.what());
  } catch (const MismatchError& error) {
    fail<MismatchError>(place, ": ", error.what());
  }
}

}  // namespace bertha
