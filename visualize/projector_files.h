#pragma once

#include <string>

#include "visualize/embedding_points.h"

namespace bertha {

/// What TensorBoard's projector reads, in a directory that is made where it is missing: `vectors.tsv`, a vector a line,
/// every number so that it reads back as the same float; `metadata.tsv`, a line of names (`name` and the columns'),
/// then a line a point. Tabs and line ends within texts become blanks. Throws Error where they cannot be written.
void write_projector_files(const std::string& directory, const EmbeddingPoints& points);

}  // namespace bertha
