#pragma once

#include <string>
#include <string_view>

#include "visualize/embedding_map.h"
#include "visualize/embedding_points.h"

namespace bertha {

/// What the page says of where its points come from.
struct EmbeddingPageTexts {
  std::string title;
  std::string_view unit;    // what a point is: `token`, `text`
  std::string description;  // follows their number
  std::string color;        // the column that colours points at first; empty: none
};

/// One offline page: a map to move in, search, colour and select from. See docs/visualization.md.
std::string embedding_page(const EmbeddingPoints& points, const EmbeddingMap& map, const EmbeddingPageTexts& texts);

}  // namespace bertha
