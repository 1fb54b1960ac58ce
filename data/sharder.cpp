#include "data/sharder.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/corpus.h"
#include "data/ordered_pipeline.h"
#include "data/sequence_builder.h"
#include "data/shard_directory.h"
#include "data/shard_manifest.h"
#include "data/shard_writer.h"

namespace bertha {
namespace {

// Measured on the worst text: marks without a blank, and documents of one letter. Ordinary text needs a third.
constexpr int64_t kWorkingBytesPerBlockByte = 16;
// The program, its vocabulary, and the shard that is being compressed.
constexpr int64_t kFixedBytes = int64_t{48} << 20;

void check_options(const ShardOptions& options) {
  const int64_t shortest = min_sequence_length(options.objective);
  check<ConfigError>(options.sequence_length >= shortest && options.sequence_length <= kMaxSequenceLength,
                     "sequence length ", options.sequence_length, " is outside ", shortest, " to ", kMaxSequenceLength);
  check<ConfigError>(options.jobs >= 1, "jobs is ", options.jobs, " (at least 1 was expected)");
  const int64_t least = kFixedBytes + kWorkingBytesPerBlockByte * options.block_bytes;
  check<ConfigError>(options.memory_bytes >= least, "memory of ", options.memory_bytes >> 20,
                     "M is too little (at least ", least >> 20, "M)");
}

int64_t threads_within_memory(const ShardOptions& options) {
  const int64_t blocks = (options.memory_bytes - kFixedBytes) / (kWorkingBytesPerBlockByte * options.block_bytes);
  return std::clamp<int64_t>(blocks, 1, options.jobs);
}

/// One block, ready to be made into sequences.
struct PreparedBlock {
  TokenizedText text;
  uint64_t text_checksum;
  int64_t text_bytes;
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
  Sharder(const ShardOptions& options, const WordPiece& tokenizer,
          const std::function<void(const ShardProgress&)>& progress)
      : options_(options),
        tokenizer_(tokenizer),
        report_(progress),
        corpus_(options.files, options.block_bytes),
        threads_(threads_within_memory(options)),
        settings_{.objective = options.objective,
                  .sequence_length = options.sequence_length,
                  .seed = options.seed,
                  .vocabulary_hash = tokenizer.vocabulary().hash(),
                  .vocabulary_size = tokenizer.vocabulary().size(),
                  .lowercase = tokenizer.lowercase(),
                  .text_bytes = corpus_.bytes(),
                  .block_bytes = options.block_bytes,
                  .blocks_per_shard = options.blocks_per_shard,
                  .shards = (corpus_.blocks() + options.blocks_per_shard - 1) / options.blocks_per_shard},
        directory_(options.directory, settings_) {}

  ShardSummary run() {
    check<ConfigError>(options_.objective == Objective::kMlm || corpus_.has_several_documents(),
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

  uint64_t text_checksum(int64_t shard) const {
    Checksum checksum;
    for (int64_t block = first_block(shard); block < end_block(shard); ++block) {
      add_block(checksum, block_checksum(corpus_.block(block)));
    }
    return checksum.value();
  }

  static uint64_t block_checksum(const CorpusBlock& block) { return checksum_of(std::as_bytes(std::span(block.text))); }
  static void add_block(Checksum& shard, uint64_t block) { shard.update(std::span<const uint64_t>(&block, 1)); }

  bool is_finished(int64_t shard, const ShardRecord& record) const {
    const std::string path = directory_.file(record.file);
    check<MismatchError>(text_checksum(shard) == record.text_checksum, path,
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
    std::vector<int64_t> missing;
    const auto check_shard = [&](int64_t i) {
      const auto record = records.find(shards[i]);
      return record != records.end() && is_finished(shards[i], record->second);
    };
    ordered_pipeline(std::ssize(shards), threads_, check_shard, [&](int64_t i, bool finished) {
      if (!finished) missing.push_back(shards[i]);
    });
    return missing;
  }

  PreparedBlock prepare(int64_t index) const {
    const CorpusBlock block = corpus_.block(index);
    return {tokenize_block(block, tokenizer_), block_checksum(block), std::ssize(block.text)};
  }

  void build_sequences(const TokenizedText& text, int64_t block, const SequenceSink& sink) const {
    const SpecialIds special{tokenizer_.vocabulary().cls(), tokenizer_.vocabulary().sep()};
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
    std::unique_ptr<OpenShard> open;
    const SequenceSink sink = [&](const Sequence& sequence) {
      open->writer.append(sequence);
      ++progress.sequences;
      progress.tokens += std::ssize(sequence.ids);
    };
    const auto store = [&](int64_t i, const PreparedBlock& prepared) {
      const auto [shard, block] = blocks[i];
      if (block == first_block(shard)) open = std::make_unique<OpenShard>(settings_);
      build_sequences(prepared.text, block, sink);
      open->documents += prepared.text.documents;
      add_block(open->text_checksum, prepared.text_checksum);
      if (block + 1 == end_block(shard)) {
        open->writer.finish(directory_.path(), shard, open->documents, open->text_checksum.value());
      }
      ++progress.blocks_done;
      progress.text_bytes_done += prepared.text_bytes;
      report_(progress);
    };
    ordered_pipeline(
        std::ssize(blocks), threads_, [&](int64_t i) { return prepare(blocks[i].second); }, store);
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
                         .unknown_tokens = manifest.token_counts.at(tokenizer_.vocabulary().unk()),
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
  const WordPiece& tokenizer_;
  const std::function<void(const ShardProgress&)>& report_;
  Corpus corpus_;
  int64_t threads_;
  ShardSettings settings_;
  ShardDirectory directory_;
};

}  // namespace

ShardSummary shard_corpus(const ShardOptions& options, const WordPiece& tokenizer,
                          const std::function<void(const ShardProgress&)>& progress) {
  check_options(options);
  return Sharder(options, tokenizer, progress).run();
}

}  // namespace bertha
