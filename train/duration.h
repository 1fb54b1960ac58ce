#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bertha {

/// A whole number of one unit, s, m, h or d, such as 90s or 2h; none for anything else, and beyond 10,000 days.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// The shortest text that parses to the same.
std::string to_text(std::chrono::seconds duration);

/// Hours, minutes and seconds, as 1:02:03; "-" for what is no time from 0 to some 10^11 hours.
std::string clock_text(double seconds);

}  // namespace bertha
