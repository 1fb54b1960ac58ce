#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/tensor.h"
#include "visualize/neighbors.h"

namespace bertha {

/// Two points and how surely they are neighbours, in (0, 1].
struct FuzzyEdge {
  int32_t a = 0, b = 0;  // a < b
  float weight = 0;
};

/// The fuzzy simplicial set of points whose nearest others are known, of which up to `count` are looked at: a point is
/// surely a neighbour of its nearest, the further ones fall off so that all add up to log2 of their number, and of the
/// two points' views of each other at least one has to hold. Sorted by a, then b.
/// Source: McInnes et al. 2018 (arXiv:1802.03426) §4.1, algorithms 2 and 3; distances are 1 - cosine.
std::vector<FuzzyEdge> fuzzy_graph(const Neighbors& neighbors, int64_t count);

/// A map that keeps neighbours together: from `start` on, points are pulled along the graph's edges and pushed from
/// points drawn at random, in one fixed order by one thread, so that the same input is always the same map.
/// Source: McInnes et al. 2018 §4.2, algorithms 4 and 5, with min_dist 0.1, spread 1, five draws an edge and 200 rounds
///         (500 up to 10,000 points).
/// Shapes: start (P, 2) float, result (P, 2) float.
Tensor umap(std::span<const FuzzyEdge> graph, const Tensor& start);

}  // namespace bertha
