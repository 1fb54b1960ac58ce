#include <algorithm>
#include <filesystem>

#include "autograd/core/error.h"
#include "cli/inspect/sequence_view.h"
#include "cli/inspect/show.h"
#include "data/file.h"
#include "data/json_reader.h"
#include "data/shard.h"
#include "data/shard_manifest.h"
#include "train/inspect/shard_vocabulary.h"

namespace bertha {
namespace {

/// The shards that are looked into: one by its number, or all.
struct Selection {
  ShardManifest manifest;
  std::optional<size_t> only;

  std::span<const ShardRecord> shards() const {
    const std::span<const ShardRecord> all(manifest.shards);
    return only ? all.subspan(*only, 1) : all;
  }
  /// Sequences of those before `shard`.
  int64_t first_sequence(size_t shard) const {
    int64_t sum = 0;
    for (size_t i = 0; i < shard; ++i) sum += manifest.shards[i].sequences;
    return sum;
  }
};

Selection select(const Subject& subject) {
  Selection selection{read_finished_manifest(subject.directory()), {}};
  if (subject.kind == Kind::kShards) return selection;
  const auto found = std::ranges::find(selection.manifest.shards, subject.name(), &ShardRecord::file);
  check<ConfigError>(found != selection.manifest.shards.end(), subject.path, ": is not listed in the ",
                     kShardManifestName, " beside it");
  selection.only = static_cast<size_t>(found - selection.manifest.shards.begin());
  return selection;
}

/// Its text, which was read and checked before, or of one shard its part of that.
std::string manifest_text(const Subject& subject, const Selection& selection) {
  const std::string path = subject.directory() + "/" + std::string(kShardManifestName);
  const std::string text = read_text(path, std::filesystem::file_size(path));
  if (!selection.only) return text;
  std::string record;
  JsonReader reader(text, path);
  reader.object([&](const std::string& key) {
    if (key != "shards") {
      reader.skip();
      return;
    }
    size_t shard = 0;
    reader.array([&] {
      const std::string_view written = reader.skip();
      if (shard++ == *selection.only) record = written;
    });
  });
  return record;
}

void sum_up(const Selection& selection, SequenceView& view) {
  const ShardSettings& settings = selection.manifest.settings;
  view.objective = to_string(settings.objective);
  view.sequence_length = settings.sequence_length;
  view.seed = settings.seed;
  if (!selection.only) view.text_bytes = settings.text_bytes;
  view.sequences = view.tokens = view.documents = 0;
  for (const ShardRecord& shard : selection.shards()) {
    *view.sequences += shard.sequences;
    *view.tokens += shard.tokens;
    *view.documents += shard.documents;
    view.files.emplace_back(shard.file, shard.bytes);
  }
}

/// Those of one shard, the only one that has to be read for them.
std::vector<ShownSample> samples_of(const Subject& subject, const Selection& selection, const Tokenizer& tokenizer,
                                    const InspectOptions& options) {
  const auto& all = selection.manifest.shards;
  const auto first_filled = std::ranges::find_if(all, [](const ShardRecord& shard) { return shard.sequences > 0; });
  const size_t number = selection.only.value_or(static_cast<size_t>(first_filled - all.begin()));
  if (number == all.size() || options.samples == 0) return {};
  ShardSet shard(subject.directory(), static_cast<int64_t>(number));
  const ShardMasking masking = shard_masking(subject.directory(), selection.manifest.settings);
  const Masker mask(masking.options, tokenizer);
  const int64_t first = selection.first_sequence(number);
  auto samples = shown_samples(options, tokenizer, shard.size(), [&](int64_t i) {
    return mask(shard.sequence(i), training_masks(masking.seed, /*epoch=*/0, first + i));
  });
  for (ShownSample& sample : samples) sample.number += first;
  return samples;
}

std::vector<int64_t> length_counts(const Subject& subject, const Selection& selection) {
  if (!selection.only) return ShardSet(subject.directory()).length_counts();
  return ShardSet(subject.directory(), static_cast<int64_t>(*selection.only)).length_counts();
}

}  // namespace

void show_shards(const Subject& subject, const InspectOptions& options) {
  const Selection selection = select(subject);
  SequenceView view{.subject = subject, .manifest = options.json ? manifest_text(subject, selection) : ""};
  sum_up(selection, view);
  const ShardTokenizer found = find_shard_tokenizer(subject.directory(), selection.manifest.settings, options.vocab);
  view.vocabulary = found.path;
  if (found.tokenizer) {
    if (!selection.only) count_tokens(selection.manifest.token_counts, *found.tokenizer, view);
    view.samples = samples_of(subject, selection, *found.tokenizer, options);
  }
  if (options.stats) view.length_counts = length_counts(subject, selection);
  print(view, options);
}

}  // namespace bertha
