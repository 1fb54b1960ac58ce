#include "train/inspect/checkpoint_difference.h"

#include <filesystem>
#include <map>
#include <set>

#include "data/checksum.h"
#include "data/file.h"
#include "train/checkpoint/manifest.h"
#include "train/config_tree.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Named = std::map<std::string, std::string>;

constexpr uint64_t kLargestFile = uint64_t{64} << 20;

std::vector<NamedDifference> differences_of(const Named& a, const Named& b) {
  std::set<std::string> names;
  for (const Named* side : {&a, &b}) {
    for (const auto& [name, value] : *side) names.insert(name);
  }
  const auto find = [](const Named& side, const std::string& name) {
    const auto found = side.find(name);
    return found == side.end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<NamedDifference> differences;
  for (const std::string& name : names) {
    NamedDifference one{name, find(a, name), find(b, name)};
    if (one.a != one.b) differences.push_back(std::move(one));
  }
  return differences;
}

bool holds_tensors(const fs::path& path) {
  return path.extension() == ".safetensors" || path.extension() == ".bin" || path.filename() == kTrainingStateName;
}

Named checksums_of(const std::string& directory) {
  Named checksums;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    if (!entry.is_regular_file() || holds_tensors(path) || path.filename() == kManifestName) continue;
    if (entry.file_size() > kLargestFile) continue;
    const std::string bytes = read_text(path, kLargestFile);
    checksums[path.filename()] = to_hex(checksum_of(std::as_bytes(std::span(bytes))));
  }
  return checksums;
}

Named members_of(const TrainingState& state) {
  Named members = {{"step", std::to_string(state.step)},
                   {"samples", std::to_string(state.samples)},
                   {"tokens", std::to_string(state.tokens)},
                   {"budget_used_ms", std::to_string(state.budget_used_ms)},
                   {"optimizer", state.optimizer},
                   {"seed", std::to_string(state.identity.seed)},
                   {"global_batch_size", std::to_string(state.identity.global_batch_size)},
                   {"vocabulary_hash", to_hex(state.identity.vocabulary_hash)},
                   {"data_hash", to_hex(state.identity.data_hash)},
                   {"evaluation_hash", to_hex(state.identity.evaluation_hash)}};
  for (const auto& [key, value] : flat_config(parse_config(state.configuration, "configuration"))) {
    members["configuration." + key] = value;
  }
  return members;
}

}  // namespace

std::vector<NamedDifference> file_differences(const std::string& directory_a, const std::string& directory_b) {
  return differences_of(checksums_of(directory_a), checksums_of(directory_b));
}

std::vector<NamedDifference> state_differences(const TrainingState& a, const TrainingState& b) {
  return differences_of(members_of(a), members_of(b));
}

}  // namespace bertha
