#include <fmt/format.h>

#include <iostream>
#include <set>
#include <sstream>

#include "cli/inspect/model_view.h"
#include "cli/inspect/text.h"
#include "data/printable.h"
#include "train/checkpoint/manifest.h"
#include "train/inspect/layer_groups.h"

namespace bertha {
namespace {

using Cells = std::vector<std::string>;

/// The name as it stands below its group's.
std::string name_within(const LayerGroup& group, const std::string& name) {
  const bool is_longer = name.size() > group.name.size() + 1;
  return "  " + printable(is_longer ? std::string_view(name).substr(group.name.size() + 1) : std::string_view(name));
}

std::string dtypes_of(const LayerGroup& group) {
  std::set<std::string> dtypes;
  for (const FileTensor* one : group.tensors) dtypes.insert(one->tensor.dtype);
  return fmt::format("{}", fmt::join(dtypes, ", "));
}

double share_of(uint64_t bytes, uint64_t all) {
  return all > 0 ? static_cast<double>(bytes) / static_cast<double>(all) : 0;
}

void print_sizes(const ShownTensors& shown) {
  const uint64_t all = shown.bytes();
  const auto sizes = [all](int64_t parameters, uint64_t bytes) {
    return Cells{with_commas(parameters), percent_text(share_of(bytes, all)), size_text(bytes)};
  };
  Columns table("lllrrr");
  table.add({"", "shape", "type", "parameters", "share", "size"});
  for (const LayerGroup& group : group_by_layer(shown.tensors)) {
    Cells row{printable(group.name), "", dtypes_of(group)};
    std::ranges::move(sizes(group.parameters(), group.bytes()), std::back_inserter(row));
    table.add(row);
    for (const FileTensor* one : group.tensors) {
      const StoredTensor& tensor = one->tensor;
      row = {name_within(group, tensor.name), shape_text(tensor.shape), tensor.dtype};
      std::ranges::move(sizes(is_parameter(tensor) ? tensor.numel() : 0, tensor.bytes), std::back_inserter(row));
      table.add(row);
    }
  }
  Cells total{"total", fmt::format("{} tensors", shown.tensors.size()), ""};
  std::ranges::move(sizes(shown.parameters(), all), std::back_inserter(total));
  table.add(total);
  table.print();
}

Cells statistics_cells(const std::optional<TensorStatistics>& statistics) {
  if (!statistics) return {"-"};
  constexpr size_t kMedian = kQuantiles.size() / 2;
  const TensorStatistics& s = *statistics;
  Cells cells;
  for (const double value : {s.mean, s.standard_deviation, s.minimum, s.quantiles[kMedian], s.maximum, s.norm}) {
    cells.push_back(short_number(value));
  }
  cells.push_back(s.elements > 0 ? percent_text(static_cast<double>(s.zeros) / static_cast<double>(s.elements)) : "-");
  cells.push_back(bars(s.histogram.data(), s.histogram.size()));
  if (s.nans > 0 || s.infinities > 0) cells.push_back(fmt::format("{} NaN, {} infinite", s.nans, s.infinities));
  return cells;
}

void print_statistics(const ShownTensors& shown) {
  Columns table("lllrrrrrrrll");
  table.add({"", "shape", "type", "mean", "std", "min", "median", "max", "norm", "zeros", "min to max"});
  for (const LayerGroup& group : group_by_layer(shown.tensors)) {
    table.add({printable(group.name)});
    for (const FileTensor* one : group.tensors) {
      Cells row{name_within(group, one->tensor.name), shape_text(one->tensor.shape), one->tensor.dtype};
      const auto number = static_cast<size_t>(one - shown.tensors.data());
      std::ranges::move(statistics_cells(shown.statistics[number]), std::back_inserter(row));
      table.add(row);
    }
  }
  table.print();
}

void print_tensors(const ShownTensors& shown) {
  std::cout << '\n';
  shown.statistics.empty() ? print_sizes(shown) : print_statistics(shown);
}

void print_state(const TrainingState& state, const std::map<std::string, MomentSize>& moments) {
  print_member("step", std::to_string(state.step));
  print_member("samples consumed (cursor)", with_commas(state.samples));
  print_member("tokens", with_commas(state.tokens));
  if (state.budget_used_ms > 0) {
    print_member("time budget used", fmt::format("{:.1f} s", static_cast<double>(state.budget_used_ms) / 1000));
  }
  print_member("optimizer", printable(state.optimizer));
  for (const auto& [name, size] : moments) {
    print_member("  " + printable(name), fmt::format("{} tensors, {}", size.tensors, size_text(size.bytes)));
  }
  print_member("seed", std::to_string(state.identity.seed));
  print_member("global batch size", std::to_string(state.identity.global_batch_size));
  print_member("vocabulary hash", fmt::format("{:016x}", state.identity.vocabulary_hash));
  print_member("data hash", fmt::format("{:016x}", state.identity.data_hash));
  print_member("evaluation hash", fmt::format("{:016x}", state.identity.evaluation_hash));
  print_member("format", std::to_string(kManifestVersion));
  std::cout << "configuration\n";
  std::istringstream lines(state.configuration);
  for (std::string line; std::getline(lines, line);) std::cout << "  " << printable(line) << '\n';
}

}  // namespace

void print_listing(const ModelView& view) {
  std::cout << fmt::format("{}: {}\n{} tensors, {} parameters, {}\n", printable(view.subject.path),
                           to_text(view.subject.kind), view.weights.tensors.size(),
                           with_commas(view.weights.parameters()), size_text(view.weights.bytes()));
  if (view.state) print_state(*view.state, view.moment_sizes);
  for (const auto& [key, value] : view.metadata) print_member("metadata " + printable(key), printable(value));
  print_tensors(view.weights);
  if (view.moments) print_tensors(*view.moments);
}

}  // namespace bertha
