#include "train/inspect/shard_vocabulary.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/inspect/run_configuration.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

// With the shards in `shards` or another folder of it.
std::optional<PretrainConfig> run_above(const std::string& directory) {
  const std::string above = fs::path(directory) / "..";
  try {
    if (!path_exists(above + "/" + std::string(kRunConfigurationName))) return std::nullopt;
    return read_run_configuration(above).pretraining;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<std::string> likely_places(const std::string& directory) {
  const fs::path here(directory), above = here / "..";
  std::vector<std::string> places;
  for (const fs::path& folder : {here, above, above / "model"}) {
    for (const char* name : {"vocab.txt", "vocab.json", "tokenizer.json"}) places.push_back(folder / name);
  }
  if (const auto run = run_above(directory); run && !run->data.vocab.empty()) places.push_back(run->data.vocab);
  return places;
}

std::unique_ptr<Tokenizer> read_if_it_fits(const std::string& path, const ShardSettings& settings) {
  try {
    if (!path_exists(path)) return nullptr;
    auto tokenizer = read_tokenizer(path, settings.lowercase);
    return tokenizer->hash() == settings.vocabulary_hash ? std::move(tokenizer) : nullptr;
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

ShardTokenizer find_shard_tokenizer(const std::string& directory, const ShardSettings& settings,
                                    const std::string& given) {
  if (!given.empty()) {
    auto tokenizer = read_tokenizer(given, settings.lowercase);
    check<MismatchError>(tokenizer->hash() == settings.vocabulary_hash, directory,
                         ": was made with another vocabulary than ", given);
    return {given, std::move(tokenizer)};
  }
  for (const std::string& path : likely_places(directory)) {
    if (auto tokenizer = read_if_it_fits(path, settings)) {
      return {fs::path(path).lexically_normal(), std::move(tokenizer)};
    }
  }
  return {};
}

ShardMasking shard_masking(const std::string& directory, const ShardSettings& settings) {
  if (const auto run = run_above(directory)) return {run->masking, static_cast<uint64_t>(run->training.seed)};
  return {{}, settings.seed};
}

}  // namespace bertha
