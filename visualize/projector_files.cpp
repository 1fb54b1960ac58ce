#include "visualize/projector_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "data/file.h"

namespace bertha {
namespace {

std::string vectors_text(const Tensor& vectors) {
  std::string text;
  const float* next = vectors.data<float>();
  for (int64_t row = 0; row < vectors.rows(); ++row) {
    for (int64_t column = 0; column < vectors.cols(); ++column) {
      fmt::format_to(std::back_inserter(text), "{}{}", column > 0 ? "\t" : "", *next++);
    }
    text += '\n';
  }
  return text;
}

std::string in_one_cell(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string metadata_text(const EmbeddingPoints& points) {
  std::string text = "name";
  for (const PointColumn& column : points.columns) text.append("\t").append(in_one_cell(column.name));
  text += '\n';
  for (size_t i = 0; i < points.names.size(); ++i) {
    text += in_one_cell(points.names[i]);
    for (const PointColumn& column : points.columns) {
      text.append("\t").append(column.texts.empty() ? fmt::format("{}", column.numbers[i])
                                                    : in_one_cell(column.texts[i]));
    }
    text += '\n';
  }
  return text;
}

}  // namespace

void write_projector_files(const std::string& directory, const EmbeddingPoints& points) {
  make_directories(directory);
  write_durably(directory + "/vectors.tsv", vectors_text(points.vectors));
  write_durably(directory + "/metadata.tsv", metadata_text(points));
}

}  // namespace bertha
