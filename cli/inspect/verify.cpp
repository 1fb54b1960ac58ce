#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "autograd/core/error.h"
#include "cli/inspect/show.h"
#include "data/file.h"
#include "data/printable.h"
#include "data/shard_manifest.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

struct Verdict {
  uint64_t files = 0, tensors = 0, bytes = 0;
  std::vector<Damage> damage;
};

Verdict verify_shards(const Subject& subject) {
  const std::string name = subject.name();
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
  check<ConfigError>(subject.kind == Kind::kCheckpoint || path_exists(directory + "/" + std::string(kManifestName)),
                     subject.path, ": there is no ", kManifestName, " that says what was written");
  return Manifest::read(directory);
}

Verdict verify(const Subject& subject) {
  if (subject.kind == Kind::kShards || subject.kind == Kind::kShard) return verify_shards(subject);
  const Manifest manifest = manifest_of(subject);
  const std::string name = subject.name();
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

}  // namespace

void show_verdict(const InspectOptions& options) {
  const Subject subject = recognize(options.path);
  const Verdict verdict = verify(subject);
  if (options.json) {
    std::cout << to_json(subject, verdict).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else if (verdict.damage.empty()) {
    std::cout << fmt::format("{}: every byte is what was written ({} files, {} {}, {} bytes)\n",
                             printable(subject.path), verdict.files, verdict.tensors, part_name(subject.kind),
                             verdict.bytes);
  }
  check<Error>(std::cout.flush().good(), "standard output: cannot be written");  // or the failure below hides it
  std::string sentences;
  for (const Damage& one : verdict.damage) sentences.append(sentences.empty() ? "" : "\n").append(to_sentence(one));
  check<DamagedFileError>(verdict.damage.empty(), sentences);
}

}  // namespace bertha
