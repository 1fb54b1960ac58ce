#include "visualize/embedding_map.h"

#include <algorithm>

#include "visualize/umap.h"

namespace bertha {
namespace {

constexpr int64_t kComponents = 10;
constexpr int64_t kNeighbors = 20;
constexpr int64_t kGraphNeighbors = 15;

// (P, 2); the second is 0 where there is but one.
Tensor first_two(const Tensor& scores) {
  Tensor plane = Tensor::zeros({scores.rows(), 2}, DType::f32);
  const int64_t axes = std::min<int64_t>(2, scores.cols());
  for (int64_t i = 0; i < scores.rows(); ++i) {
    std::copy_n(scores.data<float>() + i * scores.cols(), axes, plane.data<float>() + 2 * i);
  }
  return plane;
}

}  // namespace

EmbeddingMap map_embeddings(const Tensor& vectors) {
  EmbeddingMap map;
  map.components = principal_components(vectors, kComponents);
  const Tensor plane = first_two(map.components.scores);
  const Tensor units = unit_vectors(vectors);
  map.neighbors = nearest_by_cosine(units, std::min(kNeighbors, vectors.rows() - 1));
  map.layout = umap(fuzzy_graph(map.neighbors, kGraphNeighbors), plane);
  map.components_quality = map_quality(units, plane);
  map.layout_quality = map_quality(units, map.layout);
  return map;
}

}  // namespace bertha
