#include "train/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>

namespace bertha {
namespace {

struct Unit {
  char letter;
  int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits{{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
constexpr int64_t kLongest = 10'000 * 86400;

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.letter)) continue;
    int64_t count = 0;
    const char* end = text.data() + text.size() - 1;
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    const bool valid = error == std::errc{} && stop == end && count >= 0 && count <= kLongest / unit.seconds;
    return valid ? std::optional(std::chrono::seconds(count * unit.seconds)) : std::nullopt;
  }
  return std::nullopt;
}

std::string to_text(std::chrono::seconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() > 0 && duration.count() % unit.seconds == 0) {
      return std::to_string(duration.count() / unit.seconds) + unit.letter;
    }
  }
  return "0s";
}

std::string clock_text(double seconds) {
  if (!(seconds >= 0 && seconds < 1e15)) return "-";
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace bertha
