#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/tasks/example.h"

namespace bertha {

/// A part of a text that is short enough to be read, with places in it.
struct Excerpt {
  std::string text;
  std::optional<CodePoints> gold, predicted;
};

/// At most `most` code points around the places, of which it holds as much as fits, or of the beginning where there are
/// none; `...` where something was left out. Places are in the code points of the text.
Excerpt excerpt(std::string_view text, std::optional<CodePoints> gold, std::optional<CodePoints> predicted,
                int32_t most);

}  // namespace bertha
