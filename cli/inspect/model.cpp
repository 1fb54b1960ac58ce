#include <iostream>

#include "cli/inspect/filter.h"
#include "cli/inspect/model_view.h"
#include "cli/inspect/show.h"
#include "cli/inspect/text.h"

namespace bertha {
namespace {

ShownTensors shown_tensors(std::vector<FileTensor> tensors, const InspectOptions& options) {
  ShownTensors shown{std::move(tensors), {}};
  if (!options.stats) return shown;
  for (const FileTensor& tensor : shown.tensors) shown.statistics.push_back(statistics_of(tensor));
  return shown;
}

std::map<std::string, MomentSize> sizes_of(const std::vector<FileTensor>& moments) {
  std::map<std::string, MomentSize> sizes;
  for (const FileTensor& moment : moments) {
    MomentSize& size = sizes[moment.tensor.name.substr(0, moment.tensor.name.find('/'))];
    ++size.tensors;
    size.bytes += moment.tensor.bytes;
  }
  return sizes;
}

}  // namespace

int64_t ShownTensors::parameters() const {
  int64_t sum = 0;
  for (const FileTensor& one : tensors) sum += is_parameter(one.tensor) ? one.tensor.numel() : 0;
  return sum;
}

uint64_t ShownTensors::bytes() const {
  uint64_t sum = 0;
  for (const FileTensor& one : tensors) sum += one.tensor.bytes;
  return sum;
}

void show_model(const Subject& subject, const InspectOptions& options) {
  const NameFilter filter(options.filter);
  ModelView view{subject, {}, {}, {}, {}, {}};
  const FileTensors files(subject.path);
  if (files.training_state() != nullptr) view.state = *files.training_state();
  view.moment_sizes = sizes_of(files.moments());
  view.metadata = files.metadata();
  view.weights = shown_tensors(filter(files.weights()), options);
  if (options.moments) view.moments = shown_tensors(filter(files.moments()), options);
  const bool matched = !view.weights.tensors.empty() || (view.moments && !view.moments->tensors.empty());
  filter.require_match(matched, subject.path);
  if (options.json) {
    std::cout << to_json(view) << '\n';
  } else {
    print_listing(view);
  }
}

}  // namespace bertha
