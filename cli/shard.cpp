#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "cli/commands.h"
#include "cli/heap.h"
#include "data/sharder.h"
#include "data/wordpiece.h"
#include "train/comm/communicator.h"
#include "train/comm/failure_watch.h"

namespace bertha {
namespace {

using Clock = std::chrono::steady_clock;

struct ShardCommand {
  ShardOptions options;
  std::string vocabulary;
  bool cased = false;
  bool json = false;
};

double mebibytes(int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A live line on a terminal, otherwise a plain line every few seconds.
class ProgressLine {
 public:
  void show(const ShardProgress& progress) {
    const bool last = progress.blocks_done == progress.blocks;
    if (!last && seconds_since(shown_) < (terminal_ ? 0.2 : 5.0)) return;
    shown_ = Clock::now();
    fmt::print(stderr, "{}shard: {:.0f} % of {} blocks, {:.1f} MiB/s, {} sequences, {} tokens{}", terminal_ ? "\r" : "",
               100.0 * static_cast<double>(progress.blocks_done) / static_cast<double>(progress.blocks),
               progress.blocks, mebibytes(progress.text_bytes_done) / seconds_since(begin_), progress.sequences,
               progress.tokens, terminal_ && !last ? "\x1b[K" : "\n");
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) == 1;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_ = begin_;
};

double random_share(const ShardSummary& summary) {
  return static_cast<double>(summary.random_pairs) / static_cast<double>(summary.sequences);
}

void print_json(const ShardOptions& options, const ShardSummary& summary) {
  nlohmann::ordered_json j{{"directory", options.directory},           {"shards", summary.shards},
                           {"shards_kept", summary.shards_kept},       {"bytes", summary.shard_bytes},
                           {"text_bytes", summary.text_bytes},         {"documents", summary.documents},
                           {"sequences", summary.sequences},           {"tokens", summary.tokens},
                           {"unknown_tokens", summary.unknown_tokens}, {"hash", fmt::format("{:016x}", summary.hash)}};
  if (options.objective == Objective::kMlmNsp) j["random_pairs"] = summary.random_pairs;
  fmt::print("{}\n", j.dump());
}

void print_text(const ShardOptions& options, const ShardSummary& summary) {
  fmt::print("{}: {} shards, {:.1f} MiB, from {:.1f} MiB of text\n", options.directory, summary.shards,
             mebibytes(summary.shard_bytes), mebibytes(summary.text_bytes));
  fmt::print("documents  {}\nsequences  {} (at most {} tokens)\n", summary.documents, summary.sequences,
             options.sequence_length);
  fmt::print("tokens     {} ({} unknown)\n", summary.tokens, summary.unknown_tokens);
  if (options.objective == Objective::kMlmNsp) {
    fmt::print("pairs      {:.2f} % with a random second segment\n", 100 * random_share(summary));
  }
  if (summary.shards_kept > 0) fmt::print("kept       {} shards of an earlier run\n", summary.shards_kept);
}

void warn_if_one_sided(const ShardOptions& options, const ShardSummary& summary) {
  if (options.objective != Objective::kMlmNsp || random_share(summary) > 0.4) return;
  fmt::print(stderr,
             "bertha: warning: only {:.0f} % of the pairs have a random second segment, for most documents are larger "
             "than a block of {:.0f} MiB\n",
             100 * random_share(summary), mebibytes(options.block_bytes));
}

void run(ShardCommand& command) {
  return_large_buffers();
  const std::unique_ptr<Communicator> ranks = make_communicator();
  watch_for_stalls(kStallLimit);
  command.options.rank = ranks->rank();
  command.options.world_size = ranks->size();
  command.options.barrier = [&] { ranks->barrier(); };

  const WordPiece tokenizer(Vocabulary::read(command.vocabulary), !command.cased);
  ProgressLine line;
  const ShardSummary summary = shard_corpus(command.options, tokenizer, [&](const ShardProgress& progress) {
    if (ranks->rank() == 0) line.show(progress);
  });
  if (ranks->rank() != 0) return;
  warn_if_one_sided(command.options, summary);
  command.json ? print_json(command.options, summary) : print_text(command.options, summary);
}

}  // namespace

void add_shard(CLI::App& app) {
  CLI::App* shard = app.add_subcommand(
      "shard",
      "Turns text into HDF5 shards for pretraining: a sentence or paragraph a line, a blank line between documents. "
      "Started again after a kill it continues.");
  const auto command = std::make_shared<ShardCommand>();
  ShardOptions& options = command->options;
  options.jobs = std::max<int64_t>(1, std::thread::hardware_concurrency());
  const std::map<std::string, Objective> objectives{{"mlm", Objective::kMlm}, {"mlm_nsp", Objective::kMlmNsp}};
  shard
      ->add_option("files", options.files,
                   "text files, UTF-8; also .gz, .jsonl (an object with a string 'text' a line) and .jsonl.gz")
      ->required();
  shard->add_option("--vocab", command->vocabulary, "WordPiece vocabulary, a token a line")->required();
  shard->add_option("--output", options.directory, "directory to write shards and manifest.json to")->required();
  shard->add_option("--sequence-length", options.sequence_length, "tokens of a sequence, special tokens included")
      ->required();
  shard->add_option("--objective", options.objective, "mlm: packed sentences; mlm_nsp: pairs of segments")
      ->transform(CLI::CheckedTransformer(objectives).description("{mlm, mlm_nsp}"));
  shard->add_option("--memory", options.memory_bytes, "most memory to use (default 512M)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
  shard->add_option("--jobs", options.jobs, "threads (default: the cores of this machine)");
  shard->add_option("--seed", options.seed, "of the pairs of mlm_nsp (default 1)");
  shard->add_flag("--cased", command->cased, "keep case and accents");
  shard->add_flag("--json", command->json, "print the summary as one JSON object");
  shard->callback([command] { run(*command); });
}

}  // namespace bertha
