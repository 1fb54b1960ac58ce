#pragma once

#include <cstdint>

#include "autograd/tensor.h"

namespace bertha {

/// How much of who is near whom a map keeps, of a sample of its points among all.
struct MapQuality {
  double trustworthiness = 0;  // 0 to 1: how near those really are who are near on the map
  double kept = 0;             // 0 to 1: the share of the nearest neighbours that are also nearest on the map
  int64_t neighbors = 0;       // that were looked at of each point
  int64_t points = 0;          // that were looked at
};

/// By the cosines of `units` (P, H), P >= 3, and the distances on `map` (P, 2), both float; points evenly spread over
/// all rows are looked at.
/// Source: Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods".
MapQuality map_quality(const Tensor& units, const Tensor& map);

}  // namespace bertha
