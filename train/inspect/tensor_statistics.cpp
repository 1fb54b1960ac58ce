#include "train/inspect/tensor_statistics.h"

#include "train/inspect/statistics_parts.h"

namespace bertha {

std::optional<TensorStatistics> statistics_of(const FileTensor& tensor) {
  const StoredTensor& stored = tensor.tensor;
  if (number_kind(stored.dtype) == NumberKind::kNone) return std::nullopt;
  const bool is_short = stored.dtype.ends_with("16") || stored.dtype.ends_with("8") || stored.dtype == "BOOL";
  return is_short ? counted_statistics(tensor) : searched_statistics(tensor);
}

}  // namespace bertha
