#include "train/checkpoint/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/checkpoint/atomic_directory.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr size_t kDigits = 8;
constexpr std::string_view kLatestName = "/latest";
constexpr uint64_t kMaxLatestBytes = 256;

std::string name_of_step(int64_t step) {
  const std::string digits = std::to_string(step);
  return std::string(kPrefix).append(kDigits - std::min(kDigits, digits.size()), '0').append(digits);
}

/// What `latest` says; errors as `read_text`.
std::string read_latest(const std::string& directory) {
  std::string name = read_text(directory + std::string(kLatestName), kMaxLatestBytes);
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

/// The step of a checkpoint's name; none for any other name.
std::optional<int64_t> step_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  int64_t step = 0;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  return name_of_step(step) == name ? std::optional(step) : std::nullopt;
}

void write_model(AtomicDirectory& directory, const ModelContent& model) {
  for (const NamedBytes& file : model.files) {
    directory.write_file(file.name, [&](OutputFile& out) { out.write(file.bytes); });
  }
  directory.write_file(std::string(kWeightsName), [&](OutputFile& out) { write_safetensors(out, model.weights); });
}

void verify_checkpoint(const std::string& directory) {
  const Manifest manifest = Manifest::read(directory);
  for (const std::string_view name : {kWeightsName, kTrainingStateName}) {
    check<DamagedFileError>(manifest.find(name) != nullptr, directory, ": its manifest does not list ", name);
  }
  verify_directory(directory);
}

}  // namespace

std::vector<std::string> checkpoint_names(const std::string& directory) {
  std::vector<std::string> names = names_of_directory(directory);
  // What cannot be looked at stays, to be named when it is passed over.
  std::erase_if(names, [&](const std::string& name) {
    std::error_code error;
    return !step_of(name) || (!fs::is_directory(directory + "/" + name, error) && !error);
  });
  std::ranges::sort(names, std::greater(), [](const std::string& name) { return *step_of(name); });
  return names;
}

std::string latest_checkpoint(const std::string& directory) {
  try {
    return read_latest(directory);
  } catch (const Error&) {
    return {};
  }
}

void publish_model(const std::string& directory, const ModelContent& model) {
  AtomicDirectory target(directory);
  write_model(target, model);
  target.publish();
}

Checkpoints::Checkpoints(std::string directory, int keep) : directory_(std::move(directory)), keep_(keep) {
  check<ConfigError>(keep_ >= 1, directory_, ": ", keep_, " checkpoints to keep (at least 1)");
  make_directories(directory_);
  recover_directory(directory_);
  remove_unfinished(latest_path());
}

std::string Checkpoints::save(const ModelContent& model, const TrainingState& state,
                              std::span<const Moment> moments) const {
  const std::string name = name_of_step(state.step);
  const std::string path = directory_ + "/" + name;
  AtomicDirectory target(path);
  write_model(target, model);
  target.write_file(std::string(kTrainingStateName),
                    [&](OutputFile& out) { write_training_state(out, state, moments); });
  target.publish();
  write_durably(latest_path(), name + "\n");
  remove_old(state.step);
  return path;
}

Checkpoints::Choice Checkpoints::newest_good(int64_t every) const {
  Choice choice;
  std::vector<std::string> candidates = checkpoint_names(directory_);
  if (std::error_code failure; fs::exists(latest_path(), failure) || failure) {
    try {
      const auto named = std::ranges::find(candidates, read_latest(directory_));
      check<DamagedFileError>(named != candidates.end(), latest_path(), ": names no checkpoint that is here");
      std::rotate(candidates.begin(), named, named + 1);
    } catch (const Error& error) {
      choice.skipped.emplace_back(error.what());
    }
  }
  std::erase_if(candidates, [&](const std::string& name) { return *step_of(name) % every != 0; });
  for (const std::string& name : candidates) {
    const std::string path = directory_ + "/" + name;
    try {
      verify_checkpoint(path);
      choice.directory = path;
      break;
    } catch (const MismatchError&) {
      throw;
    } catch (const Error& error) {
      choice.skipped.emplace_back(error.what());
    }
  }
  return choice;
}

void Checkpoints::go_on_from(const std::string& directory) const {
  const std::string name = fs::path(directory).filename();
  if (latest_checkpoint(directory_) == name) return remove_after(*step_of(name));
  write_durably(latest_path(), name + "\n");
}

void Checkpoints::remove_after(int64_t step) const {
  for (const std::string& name : checkpoint_names(directory_)) {
    if (*step_of(name) > step) remove_directory(directory_ + "/" + name);
  }
}

std::string Checkpoints::latest_path() const {
  return directory_ + std::string(kLatestName);
}

// Later steps belong to a future that was given up; the run replaces them when it gets there.
void Checkpoints::remove_old(int64_t newest_step) const {
  std::vector<std::string> names = checkpoint_names(directory_);
  std::erase_if(names, [&](const std::string& name) { return *step_of(name) > newest_step; });
  for (size_t i = static_cast<size_t>(keep_); i < names.size(); ++i) remove_directory(directory_ + "/" + names[i]);
}

}  // namespace bertha
