#include "data/sharder.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/corpus.h"
#include "data/json_lines.h"
#include "data/ordered_pipeline.h"
#include "data/sequence_builder.h"
#include "data/shard_directory.h"
#include "data/shard_manifest.h"
#include "data/shard_writer.h"
#include "data/text_file.h"

namespace bertha {
namespace {

// Measured on the worst text: marks without a blank, and documents of one letter. Ordinary text needs a third.
constexpr int64_t kWorkingBytesPerBlockByte = 16;
// The program, its vocabulary, and the shard that is being compressed.
constexpr int64_t kFixedBytes = int64_t{48} << 20;

int64_t fixed_bytes(const ShardOptions& options) {
  return kFixedBytes + (std::ranges::any_of(options.files, holds_json_lines) ? kJsonLinesBytes : 0);
}

void check_options(const ShardOptions& options) {
  const int64_t shortest = min_sequence_length(options.objective);
  check<ConfigError>(options.sequence_length >= shortest && options.sequence_length <= kMaxSequenceLength,
                     "sequence length ", options.sequence_length, " is outside ", shortest, " to ", kMaxSequenceLength);
  check<ConfigError>(options.jobs >= 1, "jobs is ", options.jobs, " (at least 1 was expected)");
  const int64_t least = fixed_bytes(options) + kWorkingBytesPerBlockByte * options.block_bytes;
  check<ConfigError>(options.memory_bytes >= least, "memory of ", options.memory_bytes >> 20,
                     "M is too little (at least ", least >> 20, "M)");
}

int64_t threads_within_memory(const ShardOptions& options) {
  const int64_t blocks =
      (options.memory_bytes - fixed_bytes(options)) / (kWorkingBytesPerBlockByte * options.block_bytes);
  return std::clamp<int64_t>(blocks, 1, options.jobs);
}

/// One block on its way to sequences.
struct WorkingBlock {
  CorpusBlock block;
  TokenizedText text;
};

/// One shard of an earlier run.
struct EarlierShard {
  uint64_t text_checksum = 0;  // of the text as it is now
  bool finished = false;
};

/// The shard that blocks are added to.
struct OpenShard {
  explicit OpenShard(const ShardSettings& settings) : writer(settings) {}

  ShardWriter writer;
  Checksum text_checksum;
  int64_t documents = 0;
};

class Sharder {
 public:
  Sharder(const ShardOptions& options, const Tokenizer& tokenizer,
          const std::function<void(const ShardProgress&)>& progress)
      : options_(options),
        tokenizer_(tokenizer),
        report_(progress),
        corpus_(options.files, options.block_bytes),
        threads_(threads_within_memory(options)),
        settings_{.objective = options.objective,
                  .sequence_length = options.sequence_length,
                  .seed = options.seed,
                  .vocabulary_hash = tokenizer.hash(),
                  .vocabulary_size = tokenizer.size(),
                  .lowercase = tokenizer.lowercase(),
                  .text_bytes = corpus_.bytes(),
                  .block_bytes = options.block_bytes,
                  .blocks_per_shard = options.blocks_per_shard,
                  .shards = (corpus_.blocks() + options.blocks_per_shard - 1) / options.blocks_per_shard},
        directory_(options.directory, settings_) {}

  ShardSummary run() {
    check<ConfigError>(options_.objective == Objective::kMlm || has_several_documents(corpus_),
                       "corpus: a single document, which has no other to draw a wrong next sentence from (blank lines "
                       "separate documents)");
    std::vector<int64_t> shards;
    for (int64_t shard = options_.rank; shard < settings_.shards; shard += options_.world_size) shards.push_back(shard);
    const std::vector<int64_t> missing = find_missing(shards);
    make_shards(missing);
    options_.barrier();
    if (options_.rank == 0) directory_.publish();
    options_.barrier();
    return summarize(std::ssize(shards) - std::ssize(missing));
  }

 private:
  int64_t first_block(int64_t shard) const { return shard * options_.blocks_per_shard; }
  int64_t end_block(int64_t shard) const { return std::min(first_block(shard + 1), corpus_.blocks()); }

  uint64_t text_checksum(CorpusReader& reader, int64_t shard) const {
    Checksum checksum;
    CorpusBlock block;
    for (int64_t index = first_block(shard); index < end_block(shard); ++index) {
      reader.read(index, block);
      add_block(checksum, block);
    }
    return checksum.value();
  }

  static void add_block(Checksum& shard, const CorpusBlock& block) {
    const uint64_t checksum = checksum_of(std::as_bytes(std::span(block.text)));
    shard.update(std::span<const uint64_t>(&checksum, 1));
  }

  bool is_finished(const ShardRecord& record, uint64_t text_checksum) const {
    const std::string path = directory_.file(record.file);
    check<MismatchError>(text_checksum == record.text_checksum, path,
                         ": was made from other text; choose another directory or empty it");
    try {
      check_intact(path, record);
      return true;
    } catch (const DamagedFileError&) {
      return false;
    }
  }

  std::vector<int64_t> find_missing(const std::vector<int64_t>& shards) const {
    const std::map<int64_t, ShardRecord> records = directory_.finished(options_.rank, options_.world_size);
    CorpusReader reader(corpus_);
    std::vector<int64_t> missing;
    ordered_pipeline<EarlierShard>(
        std::ssize(shards), threads_,
        [&](int64_t i, EarlierShard& shard) {
          if (records.contains(shards[i])) shard.text_checksum = text_checksum(reader, shards[i]);
        },
        [&](int64_t i, EarlierShard& shard) {
          const auto record = records.find(shards[i]);
          shard.finished = record != records.end() && is_finished(record->second, shard.text_checksum);
        },
        [&](int64_t i, const EarlierShard& shard) {
          if (!shard.finished) missing.push_back(shards[i]);
        });
    return missing;
  }

  void build_sequences(const TokenizedText& text, int64_t block, const SequenceSink& sink) const {
    const SpecialIds special{tokenizer_.specials().cls, tokenizer_.specials().sep};
    if (options_.objective == Objective::kMlm) {
      pack_full_sentences(text, special, options_.sequence_length, sink);
    } else {
      const RandomStream stream(options_.seed, "sharding", static_cast<uint64_t>(block));
      pair_segments(text, special, options_.sequence_length, stream, sink);
    }
  }

  void make_shards(const std::vector<int64_t>& shards) const {
    std::vector<std::pair<int64_t, int64_t>> blocks;  // (shard, block)
    for (const int64_t shard : shards) {
      for (int64_t block = first_block(shard); block < end_block(shard); ++block) blocks.emplace_back(shard, block);
    }
    ShardProgress progress{0, std::ssize(blocks), 0, 0, 0};
    std::optional<OpenShard> open;
    const SequenceSink sink = [&](const Sequence& sequence) {
      open->writer.append(sequence);
      ++progress.sequences;
      progress.tokens += std::ssize(sequence.ids);
    };
    const auto store = [&](int64_t i, const WorkingBlock& work) {
      const auto [shard, block] = blocks[i];
      if (block == first_block(shard)) open.emplace(settings_);
      build_sequences(work.text, block, sink);
      open->documents += work.text.documents;
      add_block(open->text_checksum, work.block);
      if (block + 1 == end_block(shard)) {
        open->writer.finish(directory_.path(), shard, open->documents, open->text_checksum.value());
        open.reset();
      }
      ++progress.blocks_done;
      progress.text_bytes_done += std::ssize(work.block.text);
      report_(progress);
    };
    CorpusReader reader(corpus_);
    ordered_pipeline<WorkingBlock>(
        std::ssize(blocks), threads_, [&](int64_t i, WorkingBlock& work) { reader.read(blocks[i].second, work.block); },
        [&](int64_t, WorkingBlock& work) { tokenize_block(work.block, tokenizer_, work.text); }, store);
  }

  ShardSummary summarize(int64_t kept) const {
    const ShardManifest manifest = directory_.manifest();
    ShardSummary summary{.text_bytes = settings_.text_bytes,
                         .documents = 0,
                         .sequences = 0,
                         .tokens = 0,
                         .random_pairs = 0,
                         .shards = settings_.shards,
                         .shards_kept = kept,
                         .shard_bytes = 0,
                         .unknown_tokens = manifest.token_counts.at(tokenizer_.specials().unk),
                         .hash = manifest_hash(manifest)};
    for (const ShardRecord& record : manifest.shards) {
      summary.documents += record.documents;
      summary.sequences += record.sequences;
      summary.tokens += record.tokens;
      summary.random_pairs += record.random_pairs;
      summary.shard_bytes += record.bytes;
    }
    return summary;
  }

  const ShardOptions& options_;
  const Tokenizer& tokenizer_;
  const std::function<void(const ShardProgress&)>& report_;
  Corpus corpus_;
  int64_t threads_;
  ShardSettings settings_;
  ShardDirectory directory_;
};

}  // namespace

ShardSummary shard_corpus(const ShardOptions& options, const Tokenizer& tokenizer,
                          const std::function<void(const ShardProgress&)>& progress) {
  check_options(options);
  return Sharder(options, tokenizer, progress).run();
}

}  // namespace bertha
