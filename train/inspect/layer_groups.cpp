#include "train/inspect/layer_groups.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "nn/published_names.h"

namespace bertha {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

bool is_root(std::string_view name) {
  return name == "cls" || std::ranges::find(kFamilies, name, family_name) != std::end(kFamilies);
}

// Where the component that begins at `begin` ends.
size_t end_of_component(std::string_view name, size_t begin) {
  return std::min(name.find('.', begin), name.size());
}

// A moment, the kind of part, what stands in front of the layer's number, and the number.
std::tuple<std::string_view, int, std::string_view, uint64_t> place_of(std::string_view group) {
  enum { kEmbeddings, kLayer, kOther };
  const std::string_view moment = group.substr(0, group.find('/') + 1);
  const size_t dot = group.rfind('.');
  const std::string_view last = group.substr(std::max(moment.size(), dot + 1));
  if (last == "embeddings") return {moment, kEmbeddings, group, 0};
  if (!is_number(last)) return {moment, kOther, group, 0};
  uint64_t number = 0;
  std::from_chars(last.data(), last.data() + last.size(), number);
  return {moment, kLayer, group.substr(0, group.size() - last.size()), number};
}

}  // namespace

std::string_view layer_group(std::string_view tensor_name) {
  const size_t begin = tensor_name.find('/') + 1;  // behind a moment's kind; npos + 1 is 0
  for (size_t at = begin; at < tensor_name.size();) {
    const size_t end = end_of_component(tensor_name, at);
    if (at > begin && is_number(tensor_name.substr(at, end - at))) return tensor_name.substr(0, end);
    at = end + 1;
  }
  const size_t first = end_of_component(tensor_name, begin);
  const bool has_root = is_root(tensor_name.substr(begin, first - begin)) && first < tensor_name.size();
  return tensor_name.substr(0, has_root ? end_of_component(tensor_name, first + 1) : first);
}

int64_t LayerGroup::parameters() const {
  int64_t sum = 0;
  for (const FileTensor* one : tensors) sum += is_parameter(one->tensor) ? one->tensor.numel() : 0;
  return sum;
}

uint64_t LayerGroup::bytes() const {
  uint64_t sum = 0;
  for (const FileTensor* one : tensors) sum += one->tensor.bytes;
  return sum;
}

std::vector<LayerGroup> group_by_layer(std::span<const FileTensor> tensors) {
  std::map<std::string_view, LayerGroup> by_name;
  for (const FileTensor& one : tensors) {
    const std::string_view name = layer_group(one.tensor.name);
    LayerGroup& group = by_name[name];
    group.name = name;
    group.tensors.push_back(&one);
  }
  std::vector<LayerGroup> groups;
  for (auto& [name, group] : by_name) groups.push_back(std::move(group));
  std::ranges::stable_sort(groups, {}, [](const LayerGroup& group) { return place_of(group.name); });
  return groups;
}

}  // namespace bertha
