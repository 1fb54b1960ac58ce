// WordPiece encoding, vocabulary learning and sharding in bytes of text a second. The text is the file that BERTHA_TEXT
// names (anything that `bertha shard` reads), otherwise made up; the vocabulary the one that BERTHA_VOCAB names,
// otherwise learnt from the text.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "autograd/core/random.h"
#include "data/lines.h"
#include "data/sharder.h"
#include "data/text_file.h"
#include "data/wordpiece.h"
#include "data/wordpiece_trainer.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kVocabularySize = 16'000;
constexpr int64_t kMadeUpBytes = int64_t{16} << 20;
constexpr int64_t kMostEncodedBytes = int64_t{64} << 20;

/// Words of one to four syllables, of which some are frequent and most rare, in sentences, paragraphs and documents.
std::string made_up_text() {
  constexpr uint32_t kWords = 50'000;
  RandomStream random(1, "benchmark");
  std::vector<std::string> words(kWords);
  for (std::string& word : words) {
    for (uint32_t syllables = 1 + random.below(4); syllables > 0; --syllables) {
      word += "bdfghklmnprstvw"[random.below(15)];
      word += "aeiouy"[random.below(6)];
      if (random.below(3) == 0) word += "nrstl"[random.below(5)];
    }
  }
  std::string text;
  for (int sentence = 1; std::ssize(text) < kMadeUpBytes; ++sentence) {
    for (uint32_t length = 4 + random.below(20); length > 0; --length) {
      text.append(words[static_cast<size_t>(std::exp(random.uniform() * std::log(kWords - 1)))]).append(" ");
    }
    text.back() = '.';
    text += sentence % 40 == 0 ? "\n\n" : sentence % 4 == 0 ? "\n" : " ";
  }
  return text;
}

/// What all benchmarks work on, and a folder for what they write.
class Workplace {
 public:
  Workplace() {
    fs::create_directories(folder_);
    const char* text = std::getenv("BERTHA_TEXT");
    text_ = text ? text : folder_ / "text";
    if (!text) std::ofstream(text_) << made_up_text();
    bytes_ = text_bytes(text_);
    const char* vocabulary = std::getenv("BERTHA_VOCAB");
    tokenizer_.emplace(vocabulary ? Vocabulary::read(vocabulary) : Vocabulary(learn(), text_), /*lowercase=*/true);
  }
  ~Workplace() { fs::remove_all(folder_); }

  std::vector<std::string> learn() const {
    return learn_vocabulary({text_}, {.size = kVocabularySize, .count = {.scratch_directory = folder_}});
  }
  const std::string& text() const { return text_; }
  int64_t bytes() const { return bytes_; }
  const WordPiece& tokenizer() const { return *tokenizer_; }
  std::string shards() const { return folder_ / "shards"; }

 private:
  const fs::path folder_ = fs::temp_directory_path() / ("bertha-text-benchmark-" + std::to_string(getpid()));
  std::string text_;
  int64_t bytes_ = 0;
  std::optional<WordPiece> tokenizer_;
};

const Workplace& workplace() {
  static const Workplace place;
  return place;
}

void encode(benchmark::State& state) {
  std::string text(static_cast<size_t>(std::min(workplace().bytes(), kMostEncodedBytes)), '\0');
  open_text(workplace().text())->read(text);
  text.resize(text.rfind('\n') + 1);
  std::vector<int32_t> ids;
  for (auto _ : state) {
    ids.clear();
    for_each_line(text, [&](std::string_view line) { workplace().tokenizer().append_ids(line, ids); });
  }
  state.SetBytesProcessed(state.iterations() * std::ssize(text));
  state.counters["tokens"] = static_cast<double>(ids.size());
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void learn(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(workplace().learn());
  state.SetBytesProcessed(state.iterations() * workplace().bytes());
}
BENCHMARK(learn)->Unit(benchmark::kMillisecond)->UseRealTime();

void shard(benchmark::State& state, Objective objective) {
  ShardOptions options;
  options.files = {workplace().text()};
  options.directory = workplace().shards();
  options.objective = objective;
  options.jobs = state.range(0);
  for (auto _ : state) {
    shard_corpus(options, workplace().tokenizer(), [](const ShardProgress&) {});
    fs::remove_all(options.directory);
  }
  state.SetBytesProcessed(state.iterations() * workplace().bytes());
}

void with_jobs(benchmark::internal::Benchmark* benchmark) {
  const int64_t all = std::max(1u, std::thread::hardware_concurrency());
  benchmark->ArgName("jobs")->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();
  if (all > 1) benchmark->Arg(all);
}
BENCHMARK_CAPTURE(shard, mlm, Objective::kMlm)->Apply(with_jobs);
BENCHMARK_CAPTURE(shard, mlm_nsp, Objective::kMlmNsp)->Apply(with_jobs);

}  // namespace
}  // namespace bertha

BENCHMARK_MAIN();
