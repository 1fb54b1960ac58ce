#include "train/layer_decay.h"

#include <charconv>
#include <string_view>

namespace bertha {
namespace {

// How far below the heads a tensor is: 0 for them, 1 for the highest layer.
int64_t depth_below_heads(std::string_view name, int64_t layers) {
  constexpr std::string_view kLayer = ".layer.";
  if (name.find(".embeddings.") != name.npos) return layers + 1;
  const size_t at = name.find(kLayer);
  if (at == name.npos) return 0;
  int64_t layer = 0;
  const std::string_view number = name.substr(at + kLayer.size());
  std::from_chars(number.data(), number.data() + number.size(), layer);
  return layers - layer;
}

}  // namespace

std::function<double(const PublishedTensor&)> layer_decay(int64_t layers, double decay) {
  return [=](const PublishedTensor& tensor) {
    double scale = 1;  // by multiplication: every processor gets the same bits
    for (int64_t depth = depth_below_heads(tensor.name, layers); depth > 0; --depth) scale *= decay;
    return scale;
  };
}

}  // namespace bertha
