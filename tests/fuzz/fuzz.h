#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "autograd/core/error.h"
#include "data/printable.h"
#include "tests/temporary_directory.h"

namespace bertha {

/// Ends the program, which is how a target says that something is wrong.
[[noreturn]] inline void give_up(std::string_view what, std::string_view value) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(value.size()),
               value.data());
  std::abort();
}

inline void require(bool condition, std::string_view what) {
  if (!condition) give_up("broken", what);
}

/// A file may be refused in a short sentence that a terminal can show, and in no other way: all else that `read` throws
/// ends the program.
template <class Read>
void read_or_refuse(Read&& read) {
  constexpr size_t kLongest = 1000;  // bytes
  const auto check_sentence = [](const Error& error) {
    const std::string_view sentence = error.what();
    if (sentence.size() > kLongest || printable(sentence) != sentence) give_up("not a sentence to be shown", sentence);
  };
  try {
    read();
  } catch (const ConfigError& error) {
    check_sentence(error);
  } catch (const DamagedFileError& error) {
    check_sentence(error);
  } catch (const MismatchError& error) {
    check_sentence(error);
  }
}

/// The one folder of this process, in memory.
inline const TemporaryDirectory& fuzz_folder() {
  static const TemporaryDirectory folder;
  return folder;
}

/// The path of a file in it that holds these bytes.
inline std::string file_of(const std::string& name, std::string_view bytes) {
  const std::string path = fuzz_folder() / name;
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// What is before the first zero byte, and what is behind it.
inline std::pair<std::string_view, std::string_view> parted_at_zero(std::string_view text) {
  const size_t zero = std::min(text.find('\0'), text.size());
  return {text.substr(0, zero), text.substr(std::min(zero + 1, text.size()))};
}

}  // namespace bertha

/// What libFuzzer calls, and replay.cpp; every target defines it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
