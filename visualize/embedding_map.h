#pragma once

#include <cstdint>

#include "visualize/embedding_points.h"
#include "visualize/map_quality.h"
#include "visualize/neighbors.h"
#include "visualize/principal_components.h"

namespace bertha {

/// Where points lie and who is near them.
struct EmbeddingMap {
  PrincipalComponents components = {};  // the first 10
  Tensor layout = {};                   // (P, 2) float, see umap
  Neighbors neighbors = {};             // the 20 nearest
  MapQuality components_quality = {};   // of the first two
  MapQuality layout_quality = {};
};

/// All of it, of vectors (P, H) float; P >= 3. The bits do not depend on the number of threads.
EmbeddingMap map_embeddings(const Tensor& vectors);

}  // namespace bertha
