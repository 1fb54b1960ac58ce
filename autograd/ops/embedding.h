#pragma once

#include <cstdint>
#include <span>

#include "autograd/tape.h"

namespace bertha {

/// A table of row vectors and the rows to look up; `ids` must outlive backward.
struct Lookup {
  const Var& table;              // (V, H)
  std::span<const int32_t> ids;  // (N), each in [0, V)
};

/// y[i] = the sum of word, position and token type vectors of token i. Result (N, H) of `dtype`. Saves: the ids.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) §3.2. Throws: ShapeError naming the first id outside its table.
Var embedding_sum(DType dtype, const Lookup& word, const Lookup& position, const Lookup& token_type);

/// y[i] = x[rows[i]]. Shapes: x (N, H), result (M, H). Saves: rows.
Var gather_rows(const Var& x, std::span<const int32_t> rows);

}  // namespace bertha
