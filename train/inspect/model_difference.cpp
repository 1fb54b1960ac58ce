#include "train/inspect/model_difference.h"

#include <algorithm>
#include <functional>
#include <map>

#include "train/inspect/layer_groups.h"

namespace bertha {
namespace {

void compare(const FileTensor& a, const FileTensor& b, ModelDifference& model,
             std::map<std::string_view, TensorDifference>& groups) {
  ModelDifference::Pair pair{&a.tensor, &b.tensor};
  if (a.tensor.shape != b.tensor.shape) return model.reshaped.push_back(pair);
  pair.difference = difference_of(a, b);
  groups[layer_group(a.tensor.name)] += pair.difference;
  if (pair.difference.changed > 0 || a.tensor.dtype != b.tensor.dtype) {
    model.changed.push_back(pair);
  } else {
    ++model.equal;
  }
}

void furthest_first(auto& moved) {
  std::ranges::stable_sort(moved, std::greater(), [](const auto& one) { return one.difference.relative_norm(); });
}

}  // namespace

ModelDifference difference_of(std::span<const FileTensor> a, std::span<const FileTensor> b) {
  const auto name_of = [](const FileTensor& tensor) -> const std::string& { return tensor.tensor.name; };
  ModelDifference model;
  std::map<std::string_view, TensorDifference> groups;
  for (const FileTensor& one : a) {
    const auto other = std::ranges::lower_bound(b, one.tensor.name, {}, name_of);
    if (other != b.end() && other->tensor.name == one.tensor.name) {
      compare(one, *other, model, groups);
    } else {
      model.removed.push_back(&one.tensor);
    }
  }
  for (const FileTensor& one : b) {
    if (!std::ranges::binary_search(a, one.tensor.name, {}, name_of)) model.added.push_back(&one.tensor);
  }
  for (const auto& [name, difference] : groups) {
    if (difference.changed > 0) model.groups.push_back({std::string(name), difference});
  }
  furthest_first(model.changed);
  furthest_first(model.groups);
  return model;
}

}  // namespace bertha
