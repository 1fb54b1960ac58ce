#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "data/file.h"
#include "data/shard_manifest.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/stored_weights.h"
#include "train/checkpoint/training_state.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string path, filter;
  bool json = false;
};

// ---- What a path is

enum class Kind { kSafetensors, kModel, kCheckpoint, kShards, kShard };

constexpr const char* to_text(Kind kind) {
  switch (kind) {
    case Kind::kSafetensors:
      return "safetensors file";
    case Kind::kModel:
      return "model directory";
    case Kind::kCheckpoint:
      return "checkpoint";
    case Kind::kShards:
      return "shard directory";
    case Kind::kShard:
      return "shard";
  }
  return "";
}

std::string parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path().string() : std::string(".");
}

struct Subject {
  std::string path;
  Kind kind;

  /// Where its manifest is, and the files that it lists.
  std::string directory() const { return fs::is_directory(path) ? path : parent_of(path); }
};

Kind kind_of_directory(const fs::path& path) {
  if (fs::exists(path / kTrainingStateName)) return Kind::kCheckpoint;
  if (fs::exists(path / kWeightsName) || fs::exists(path / kWeightsIndexName)) return Kind::kModel;
  if (fs::exists(path / kManifestName)) return Kind::kModel;  // which has lost its weights
  if (fs::exists(path / kShardManifestName)) return Kind::kShards;
  fail<ConfigError>(path.string(), ": holds no ", kWeightsName, ", no ", kTrainingStateName, " and no ",
                    kShardManifestName,
                    " (expected a model directory, checkpoint, safetensors file, shard directory or shard)");
}

Subject recognize(const std::string& path) {
  check<ConfigError>(fs::exists(path), path, ": does not exist");
  if (fs::is_directory(path)) return {path, kind_of_directory(path)};
  const fs::path file(path);
  if (file.filename() == kTrainingStateName) return {parent_of(file), Kind::kCheckpoint};
  if (file.extension() == ".h5") return {path, Kind::kShard};
  return {path, Kind::kSafetensors};
}

// ---- Gathering

// std::regex recurses with the length of what it looks at.
bool matches(const std::string& name, const std::optional<std::regex>& filter) {
  constexpr size_t kMaxName = 4096;
  return !filter || (name.size() <= kMaxName && std::regex_search(name, *filter));
}

std::optional<std::regex> filter_of(const InspectOptions& options) {
  if (options.filter.empty()) return std::nullopt;
  try {
    return std::regex(options.filter);
  } catch (const std::regex_error& error) {
    fail<ConfigError>("--filter: '", options.filter, "' is not a regular expression: ", error.what());
  }
}

// Tensors with floating-point elements are parameters; published files also hold integer buffers.
bool is_parameter(const StoredTensor& tensor) {
  return tensor.dtype.starts_with("F") || tensor.dtype.starts_with("BF");
}

void add_tensors(Json& report, const std::string& path, const std::optional<std::regex>& filter) {
  const StoredWeights weights(path);
  const fs::path file(weights.path());
  if (const auto record = record_of(parent_of(file), file.filename().native())) {
    verify_between_tensors(parent_of(file), *record);
  }
  report["metadata"] = weights.metadata();
  Json& tensors = report["tensors"] = Json::array();
  int64_t parameters = 0;
  uint64_t bytes = 0;
  for (const StoredWeight& stored : weights.tensors()) {
    const StoredTensor& tensor = *stored.tensor;
    if (!matches(tensor.name, filter)) continue;
    tensors.push_back(
        {{"name", tensor.name}, {"shape", tensor.shape}, {"dtype", tensor.dtype}, {"bytes", tensor.bytes}});
    if (is_parameter(tensor)) parameters += tensor.numel();
    bytes += tensor.bytes;
  }
  report["parameters"] = parameters;
  report["bytes"] = bytes;
}

// The manifest lists a moment's tensors as `MOMENT/TENSOR`.
Json moments_of(const FileRecord& record) {
  struct Moment {
    int64_t tensors = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Moment> moments;
  for (const TensorRecord& tensor : record.tensors) {
    Moment& moment = moments[tensor.name.substr(0, tensor.name.find('/'))];
    ++moment.tensors;
    moment.bytes += tensor.bytes;
  }
  Json json = Json::object();
  for (const auto& [name, moment] : moments) json[name] = {{"tensors", moment.tensors}, {"bytes", moment.bytes}};
  return json;
}

Json training_state_of(const std::string& checkpoint) {
  const TrainingState state = TrainingStateFile(checkpoint).state();
  return {{"step", state.step},
          {"samples", state.samples},
          {"tokens", state.tokens},
          {"budget_used_ms", state.budget_used_ms},
          {"optimizer", state.optimizer},
          {"seed", state.identity.seed},
          {"global_batch_size", state.identity.global_batch_size},
          {"vocabulary_hash", state.identity.vocabulary_hash},
          {"data_hash", state.identity.data_hash},
          {"moments", moments_of(*Manifest::read(checkpoint).find(kTrainingStateName))},
          {"configuration", state.configuration}};
}

Json shard_manifest(const std::string& directory) {
  read_finished_manifest(directory);  // refuses all but what was written
  const std::string path = directory + "/" + std::string(kShardManifestName);
  return Json::parse(read_text(path, fs::file_size(path)));
}

Json shard_entry(const Subject& shard) {
  const std::string name = fs::path(shard.path).filename();
  const Json manifest = shard_manifest(shard.directory());
  for (const Json& entry : manifest["shards"]) {
    if (entry["file"] == name) return entry;
  }
  fail<ConfigError>(shard.path, ": is not listed in the ", kShardManifestName, " beside it");
}

Json gather(const Subject& subject, const std::optional<std::regex>& filter) {
  Json report{{"path", subject.path}, {"kind", to_text(subject.kind)}};
  switch (subject.kind) {
    case Kind::kCheckpoint:
      report["training_state"] = training_state_of(subject.path);
      [[fallthrough]];
    case Kind::kSafetensors:
    case Kind::kModel:
      add_tensors(report, subject.path, filter);
      break;
    case Kind::kShards:
      report["manifest"] = shard_manifest(subject.path);
      break;
    case Kind::kShard:
      report["shard"] = shard_entry(subject);
      break;
  }
  return report;
}

// ---- Printing

// A file's text may hold anything: nothing of it may steer the terminal.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

// A path or a text of a file may not be UTF-8.
std::string dump(const Json& report) {
  return report.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const Json& value) {
  return printable(value.is_string() ? value.get<std::string>() : dump(value));
}

std::string shape_text(const Json& shape) {
  std::string text;
  for (const Json& dim : shape) text += (text.empty() ? "" : ", ") + dim.dump();
  return "(" + text + ")";
}

void print_tensors(const Json& report) {
  size_t name_width = 0;
  size_t shape_width = 0;
  for (const Json& tensor : report["tensors"]) {
    name_width = std::max(name_width, tensor["name"].get_ref<const std::string&>().size());
    shape_width = std::max(shape_width, shape_text(tensor["shape"]).size());
  }
  for (const Json& tensor : report["tensors"]) {
    std::cout << fmt::format("{:<{}}  {:<{}}  {:<4}  {:>13} bytes\n", to_text(tensor["name"]), name_width,
                             shape_text(tensor["shape"]), shape_width, tensor["dtype"].get<std::string>(),
                             tensor["bytes"].get<uint64_t>());
  }
  std::cout << fmt::format("{} tensors, {} parameters, {} bytes\n", report["tensors"].size(),
                           report["parameters"].get<int64_t>(), report["bytes"].get<uint64_t>());
}

// One line a member; lists and long texts are for --json.
void print_members(const Json& object, const std::string& prefix) {
  constexpr size_t kLongest = 200;
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + printable(key);
    if (value.is_object()) {
      print_members(value, name + ".");
      continue;
    }
    const std::string text = value.is_array() ? fmt::format("({} entries)", value.size()) : to_text(value);
    if (text.size() <= kLongest && key != "configuration") std::cout << fmt::format("{:<34} {}\n", name, text);
  }
}

void print(const Json& report) {
  std::cout << report["path"].get<std::string>() << ": " << report["kind"].get<std::string>() << '\n';
  for (const char* part : {"training_state", "manifest", "shard"}) {
    if (report.contains(part)) print_members(report[part], "");
  }
  if (report.contains("tensors")) print_tensors(report);
}

void finish_output() {
  check<Error>(std::cout.flush().good(), "standard output: cannot be written");
}

void run_inspect(const InspectOptions& options) {
  const Json report = gather(recognize(options.path), filter_of(options));
  if (options.json) {
    std::cout << dump(report) << '\n';
  } else {
    print(report);
  }
  finish_output();
}

// ---- Verifying

struct Verdict {
  uint64_t files = 0, tensors = 0, bytes = 0;
  std::vector<Damage> damage;
};

Verdict verify_shards(const Subject& subject) {
  const std::string name = fs::path(subject.path).filename();
  Verdict verdict;
  const ShardManifest manifest = read_finished_manifest(subject.directory());
  for (const ShardRecord& shard : manifest.shards) {
    if (subject.kind == Kind::kShard && shard.file != name) continue;
    ++verdict.files;
    verdict.tensors += shard.data_sets.size();
    verdict.bytes += static_cast<uint64_t>(shard.bytes);
    const std::string path = subject.directory() + "/" + shard.file;
    try {
      check_intact(path, shard);
    } catch (const DamagedFileError& error) {
      const std::string sentence = error.what();
      verdict.damage.push_back({path, "", sentence.substr(std::string(path + ": ").size())});
    }
  }
  check<ConfigError>(verdict.files > 0, subject.path, ": is not listed in the ", kShardManifestName, " beside it");
  return verdict;
}

/// The manifest that knows the bytes of what is to be verified.
Manifest manifest_of(const Subject& subject) {
  const std::string directory = subject.directory();
  check<ConfigError>(subject.kind == Kind::kCheckpoint || fs::exists(fs::path(directory) / kManifestName), subject.path,
                     ": there is no ", kManifestName, " that says what was written");
  return Manifest::read(directory);
}

Verdict verify(const Subject& subject) {
  if (subject.kind == Kind::kShards || subject.kind == Kind::kShard) return verify_shards(subject);
  const Manifest manifest = manifest_of(subject);
  const std::string name = fs::path(subject.path).filename();
  check<ConfigError>(subject.kind != Kind::kSafetensors || manifest.find(name) != nullptr, subject.path,
                     ": is not listed in the ", kManifestName, " beside it");
  Verdict verdict;
  for (const FileRecord& file : manifest.files) {
    if (subject.kind == Kind::kSafetensors && file.name != name) continue;
    ++verdict.files;
    verdict.tensors += file.tensors.size();
    verdict.bytes += file.bytes;
    std::ranges::move(find_damage(subject.directory(), file), std::back_inserter(verdict.damage));
  }
  return verdict;
}

Json to_json(const Subject& subject, const Verdict& verdict) {
  Json damage = Json::array();
  for (const Damage& one : verdict.damage) {
    damage.push_back(
        {{"file", one.file}, {"tensor", one.tensor.empty() ? Json() : Json(one.tensor)}, {"what", one.what}});
  }
  return {{"path", subject.path},       {"intact", verdict.damage.empty()}, {"files", verdict.files},
          {"tensors", verdict.tensors}, {"bytes", verdict.bytes},           {"damage", damage}};
}

constexpr const char* part_name(Kind kind) {
  return kind == Kind::kShards || kind == Kind::kShard ? "data sets" : "tensors";
}

void run_verify(const InspectOptions& options) {
  const Subject subject = recognize(options.path);
  const Verdict verdict = verify(subject);
  if (options.json) {
    std::cout << dump(to_json(subject, verdict)) << '\n';
  } else if (verdict.damage.empty()) {
    std::cout << fmt::format("{}: every byte is what was written ({} files, {} {}, {} bytes)\n", subject.path,
                             verdict.files, verdict.tensors, part_name(subject.kind), verdict.bytes);
  }
  finish_output();
  std::string sentences;
  for (const Damage& one : verdict.damage) sentences += (sentences.empty() ? "" : "\n") + to_sentence(one);
  check<DamagedFileError>(verdict.damage.empty(), sentences);
}

}  // namespace

void add_inspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Shows what a model directory, checkpoint, safetensors file, shard directory or shard holds.");
  auto* path = command->add_option("PATH", options->path, "What to look into");
  command->add_option("--filter", options->filter,
                      "Only tensors whose name contains a match of this regular expression");
  command->add_flag("--json", options->json, "Print one JSON object");

  CLI::App* verify_command = command->add_subcommand(
      "verify", "Reads everything and says whether every byte is what was written (exit code 3 where not).");
  verify_command->add_option("PATH", options->path, "A checkpoint, model directory, shard directory, or a file of one")
      ->required();
  verify_command->add_flag("--json", options->json, "Print one JSON object");
  verify_command->callback([options] { run_verify(*options); });

  command->callback([options, command, path] {
    if (!command->get_subcommands().empty()) return;
    if (path->count() == 0) throw CLI::RequiredError("PATH");
    run_inspect(*options);
  });
}

}  // namespace bertha
