#include <nlohmann/json.hpp>

#include "cli/inspect/model_view.h"
#include "train/checkpoint/manifest.h"
#include "train/inspect/layer_groups.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

Json statistics_json(const std::optional<TensorStatistics>& statistics) {
  if (!statistics) return nullptr;
  const TensorStatistics& s = *statistics;
  Json quantiles = Json::array();
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    quantiles.push_back({{"share", kQuantiles[i]}, {"value", s.quantiles[i]}});
  }
  return {{"elements", s.elements}, {"zeros", s.zeros},       {"nan", s.nans},           {"infinite", s.infinities},
          {"min", s.minimum},       {"max", s.maximum},       {"mean", s.mean},          {"std", s.standard_deviation},
          {"norm", s.norm},         {"quantiles", quantiles}, {"histogram", s.histogram}};
}

Json tensors_json(const ShownTensors& shown) {
  Json list = Json::array();
  for (size_t i = 0; i < shown.tensors.size(); ++i) {
    const StoredTensor& tensor = shown.tensors[i].tensor;
    Json one = {{"name", tensor.name}, {"shape", tensor.shape}, {"dtype", tensor.dtype}, {"bytes", tensor.bytes}};
    if (!shown.statistics.empty()) one["statistics"] = statistics_json(shown.statistics[i]);
    list.push_back(std::move(one));
  }
  return list;
}

Json groups_json(const ShownTensors& shown) {
  Json list = Json::array();
  for (const LayerGroup& group : group_by_layer(shown.tensors)) {
    list.push_back({{"name", group.name},
                    {"tensors", group.tensors.size()},
                    {"parameters", group.parameters()},
                    {"bytes", group.bytes()}});
  }
  return list;
}

Json state_json(const TrainingState& state, const std::map<std::string, MomentSize>& moments) {
  Json sizes = Json::object();
  for (const auto& [name, size] : moments) sizes[name] = {{"tensors", size.tensors}, {"bytes", size.bytes}};
  return {{"step", state.step},
          {"samples", state.samples},
          {"tokens", state.tokens},
          {"budget_used_ms", state.budget_used_ms},
          {"optimizer", state.optimizer},
          {"seed", state.identity.seed},
          {"global_batch_size", state.identity.global_batch_size},
          {"vocabulary_hash", state.identity.vocabulary_hash},
          {"data_hash", state.identity.data_hash},
          {"evaluation_hash", state.identity.evaluation_hash},
          {"format", kManifestVersion},
          {"moments", sizes},
          {"configuration", state.configuration}};
}

}  // namespace

std::string to_json(const ModelView& view) {
  Json report{{"path", view.subject.path}, {"kind", to_text(view.subject.kind)}};
  if (view.state) report["training_state"] = state_json(*view.state, view.moment_sizes);
  report["metadata"] = view.metadata;
  report["tensors"] = tensors_json(view.weights);
  report["groups"] = groups_json(view.weights);
  report["parameters"] = view.weights.parameters();
  report["bytes"] = view.weights.bytes();
  if (view.moments) report["moments"] = tensors_json(*view.moments);
  return report.dump(-1, ' ', false, Json::error_handler_t::replace);  // a path or a text of a file may not be UTF-8
}

}  // namespace bertha
