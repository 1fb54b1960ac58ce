#include "visualize/embedding_page.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "visualize/page.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A text stands once, however many points have it.
Json coded(std::span<const std::string> texts) {
  std::map<std::string_view, size_t> codes;
  Json values = Json::array();
  Json code_of_point = Json::array();
  for (const std::string& text : texts) {
    const auto [known, is_new] = codes.emplace(text, codes.size());
    if (is_new) values.push_back(text);
    code_of_point.push_back(known->second);
  }
  return {{"values", values}, {"codes", code_of_point}};
}

// Six decimals are more than anybody looks at.
Json rounded(std::span<const double> numbers) {
  Json list = Json::array();
  for (const double x : numbers) list.push_back(std::abs(x) < 1e9 ? std::round(x * 1e6) / 1e6 : x);
  return list;
}

Json points_json(const EmbeddingPoints& points) {
  Json columns = Json::array();
  for (const PointColumn& column : points.columns) {
    Json content = column.texts.empty() ? Json{{"numbers", rounded(column.numbers)}} : coded(column.texts);
    content["name"] = column.name;
    columns.push_back(std::move(content));
  }
  return {{"names", points.names}, {"columns", columns}};
}

Json quality_json(const MapQuality& quality) {
  return {{"trustworthiness", quality.trustworthiness},
          {"kept", quality.kept},
          {"neighbors", quality.neighbors},
          {"points", quality.points}};
}

// Cosines in [-1, 1] as 16-bit numbers.
std::vector<uint16_t> quantized(std::span<const float> cosines) {
  std::vector<uint16_t> numbers;
  for (const float cosine : cosines) numbers.push_back(static_cast<uint16_t>(std::lround((cosine + 1) * 32767.5f)));
  return numbers;
}

template <class T>
PageBlock block(std::string name, std::span<const T> numbers) {
  return page_block(std::move(name), std::as_bytes(numbers));
}

}  // namespace

std::string embedding_page(const EmbeddingPoints& points, const EmbeddingMap& map, const EmbeddingPageTexts& texts) {
  const Json data = {
      {"title", texts.title},
      {"unit", texts.unit},
      {"description", texts.description},
      {"color", texts.color},
      {"points", points.names.size()},
      {"dimensions", points.vectors.cols()},
      {"neighbors", map.neighbors.count},
      {"explained", map.components.explained},
      {"quality", {{"pca", quality_json(map.components_quality)}, {"umap", quality_json(map.layout_quality)}}}};
  const std::string all = dump(points_json(points));
  const std::vector<uint16_t> cosines = quantized(map.neighbors.cosines);
  return to_html(
      {.title = texts.title,
       .styles = {"embeddings.css"},
       .scripts = {"d3.min.js", "embeddings-data.js", "embeddings-painter.js", "embeddings-pen.js",
                   "embeddings-labels.js", "embeddings-area.js", "embeddings-map.js", "embeddings-look.js",
                   "embeddings-panel.js", "embeddings-selection.js", "embeddings.js"},
       .data = dump(data),
       .blocks = {block("points", std::span<const char>(all)), block("components", map.components.scores.span<float>()),
                  block("layout", map.layout.span<float>()),
                  block("neighbors", std::span<const int32_t>(map.neighbors.indices)),
                  block("cosines", std::span<const uint16_t>(cosines))}});
}

}  // namespace bertha
