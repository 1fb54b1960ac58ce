#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "cli/inspect/filter.h"
#include "cli/inspect/show.h"
#include "cli/inspect/text.h"
#include "data/printable.h"
#include "train/inspect/checkpoint_difference.h"
#include "train/inspect/model_difference.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

/// What is compared, and what differs.
struct Comparison {
  Subject a, b;
  ModelDifference tensors;
  std::vector<NamedDifference> files, state;

  bool is_equal() const { return tensors.is_empty() && files.empty() && state.empty(); }
};

Subject recognize_tensors(const std::string& path) {
  Subject subject = recognize(path);
  check<ConfigError>(holds_tensors(subject.kind), path, ": is a ", to_text(subject.kind),
                     " (expected a model directory, checkpoint or safetensors file)");
  return subject;
}

/// Sorted by name.
std::vector<FileTensor> compared(const FileTensors& files, const InspectOptions& options) {
  std::vector<FileTensor> tensors = files.weights();
  if (options.moments) tensors.insert(tensors.end(), files.moments().begin(), files.moments().end());
  std::ranges::sort(tensors, {}, [](const FileTensor& one) { return one.tensor.name; });
  return tensors;
}

// ---- JSON

Json tensors_json(const std::vector<const StoredTensor*>& tensors) {
  Json list = Json::array();
  for (const StoredTensor* one : tensors) {
    list.push_back({{"name", one->name}, {"shape", one->shape}, {"dtype", one->dtype}, {"bytes", one->bytes}});
  }
  return list;
}

Json numbers_json(const TensorDifference& difference) {
  return {{"elements", difference.elements},
          {"changed", difference.changed},
          {"not_finite", difference.not_finite},
          {"max_difference", difference.largest},
          {"relative_norm", difference.relative_norm()},
          {"cosine", difference.cosine()}};
}

Json named_json(const std::vector<NamedDifference>& differences) {
  const auto side = [](const std::optional<std::string>& text) { return text ? Json(*text) : Json(); };
  Json list = Json::array();
  for (const NamedDifference& one : differences) {
    list.push_back({{"name", one.name}, {"a", side(one.a)}, {"b", side(one.b)}});
  }
  return list;
}

Json to_json(const Comparison& comparison) {
  Json reshaped = Json::array(), changed = Json::array(), groups = Json::array();
  for (const auto& [a, b, difference] : comparison.tensors.reshaped) {
    reshaped.push_back({{"name", a->name}, {"a", a->shape}, {"b", b->shape}});
  }
  for (const auto& [a, b, difference] : comparison.tensors.changed) {
    Json one = {{"name", a->name}, {"shape", a->shape}, {"dtype_a", a->dtype}, {"dtype_b", b->dtype}};
    one.update(numbers_json(difference));
    changed.push_back(std::move(one));
  }
  for (const auto& [name, difference] : comparison.tensors.groups) {
    Json one = {{"name", name}};
    one.update(numbers_json(difference));
    groups.push_back(std::move(one));
  }
  return {{"a", {{"path", comparison.a.path}, {"kind", to_text(comparison.a.kind)}}},
          {"b", {{"path", comparison.b.path}, {"kind", to_text(comparison.b.kind)}}},
          {"equal", comparison.is_equal()},
          {"equal_tensors", comparison.tensors.equal},
          {"added", tensors_json(comparison.tensors.added)},
          {"removed", tensors_json(comparison.tensors.removed)},
          {"reshaped", reshaped},
          {"changed", changed},
          {"groups", groups},
          {"files", named_json(comparison.files)},
          {"training_state", named_json(comparison.state)}};
}

// ---- Text

void add_numbers(Columns& table, std::string name, std::string note, const TensorDifference& difference) {
  const double share =
      difference.elements > 0 ? static_cast<double>(difference.changed) / static_cast<double>(difference.elements) : 0;
  const double cosine = difference.cosine();
  table.add({std::move(name), short_number(difference.relative_norm()), short_number(difference.largest),
             std::isnan(cosine) ? "-" : fmt::format("{:.6f}", cosine), percent_text(share), std::move(note)});
}

void print_numbers(const ModelDifference& model) {
  if (model.changed.empty()) return;
  Columns table("lrrrrl");
  const std::vector<std::string> heads{"|b - a| / |a|", "max |b - a|", "cosine", "changed"};
  std::vector<std::string> head{"parts by how far they moved"};
  head.insert(head.end(), heads.begin(), heads.end());
  table.add(head);
  for (const auto& [name, difference] : model.groups) add_numbers(table, "  " + printable(name), "", difference);
  head.front() = "tensors";
  table.add(head);
  for (const auto& [a, b, difference] : model.changed) {
    std::string note = a->dtype == b->dtype ? "" : a->dtype + " to " + b->dtype;
    if (difference.not_finite > 0) {
      note += fmt::format("{}{} places not finite", note.empty() ? "" : ", ", difference.not_finite);
    }
    add_numbers(table, "  " + printable(a->name), std::move(note), difference);
  }
  table.print();
}

void print_named(const char* what, const std::vector<NamedDifference>& differences) {
  for (const NamedDifference& one : differences) {
    const auto side = [](const std::optional<std::string>& text) { return text ? printable(*text) : "nothing"; };
    std::cout << fmt::format("{} {}: {} -> {}\n", what, printable(one.name), side(one.a), side(one.b));
  }
}

void print(const Comparison& comparison) {
  const ModelDifference& model = comparison.tensors;
  std::cout << fmt::format("a: {} ({})\nb: {} ({})\n", printable(comparison.a.path), to_text(comparison.a.kind),
                           printable(comparison.b.path), to_text(comparison.b.kind));
  if (model.is_empty()) {
    std::cout << fmt::format("equal: {} tensors, bit for bit\n", model.equal);
  } else {
    std::cout << fmt::format("{} tensors equal, {} changed, {} reshaped, {} added, {} removed\n", model.equal,
                             model.changed.size(), model.reshaped.size(), model.added.size(), model.removed.size());
  }
  print_named("file", comparison.files);
  print_named("training state", comparison.state);
  for (const StoredTensor* one : model.added) {
    std::cout << fmt::format("added {} {}\n", printable(one->name), shape_text(one->shape));
  }
  for (const StoredTensor* one : model.removed) {
    std::cout << fmt::format("removed {} {}\n", printable(one->name), shape_text(one->shape));
  }
  for (const auto& [a, b, difference] : model.reshaped) {
    std::cout << fmt::format("reshaped {}: {} -> {}\n", printable(a->name), shape_text(a->shape), shape_text(b->shape));
  }
  print_numbers(model);
}

}  // namespace

void show_difference(const InspectOptions& options) {
  Comparison comparison{recognize_tensors(options.path), recognize_tensors(options.other), {}, {}, {}};
  const auto& [a, b, tensors, files, state] = comparison;
  check<ConfigError>(!options.moments || (a.kind == Kind::kCheckpoint && b.kind == Kind::kCheckpoint),
                     "--moments: ", a.path, " and ", b.path, " are not both checkpoints");
  const NameFilter filter(options.filter);
  const FileTensors files_a(a.path), files_b(b.path);
  const std::vector<FileTensor> of_a = filter(compared(files_a, options)), of_b = filter(compared(files_b, options));
  filter.require_match(!of_a.empty() || !of_b.empty(), a.path + " and " + b.path);
  comparison.tensors = difference_of(of_a, of_b);
  const bool directories = a.kind != Kind::kSafetensors && b.kind != Kind::kSafetensors;
  if (directories) comparison.files = file_differences(a.path, b.path);
  if (files_a.training_state() != nullptr && files_b.training_state() != nullptr) {
    comparison.state = state_differences(*files_a.training_state(), *files_b.training_state());
  }
  if (options.json) {
    std::cout << to_json(comparison).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print(comparison);
  }
}

}  // namespace bertha
