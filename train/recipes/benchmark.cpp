#include "train/recipes/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/core/random.h"
#include "data/wordpiece.h"
#include "train/process.h"
#include "train/recipes/pretraining_task.h"
#include "train/recipes/run_setup.h"

namespace bertha {
namespace {

constexpr int64_t kWarmUpSteps = 2;
constexpr uint64_t kSeed = 1;

Vocabulary numbered_vocabulary(int64_t size) {
  std::vector<std::string> tokens(kSpecialTokens.begin(), kSpecialTokens.end());
  while (static_cast<int64_t>(tokens.size()) < size) tokens.push_back(fmt::format("t{}", tokens.size()));
  return {std::move(tokens), "benchmark"};
}

SequenceSource random_sequences(const BenchmarkOptions& options, const Vocabulary& vocabulary) {
  const int64_t longest = options.sequence_length;
  const auto shortest =
      std::clamp<int64_t>(std::llround((2 * options.fill - 1) * static_cast<double>(longest)), 3, longest);
  const auto specials = static_cast<int32_t>(kSpecialTokens.size());
  const uint32_t ordinary = static_cast<uint32_t>(vocabulary.size() - specials);
  const int32_t cls = vocabulary.cls();
  const int32_t sep = vocabulary.sep();
  const auto read = [=](int64_t index) {
    RandomStream random(kSeed, "benchmark", static_cast<uint64_t>(index));
    const int64_t length = shortest + random.below(static_cast<uint32_t>(longest - shortest + 1));
    Sequence sequence;
    sequence.ids.push_back(cls);
    while (static_cast<int64_t>(sequence.ids.size()) < length - 1) {
      sequence.ids.push_back(specials + static_cast<int32_t>(random.below(ordinary)));
    }
    sequence.ids.push_back(sep);
    sequence.second_begin = static_cast<int32_t>(sequence.ids.size());
    return sequence;
  };
  return {.size = 100 * options.batch, .chunk_size = 1, .read = read};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

BenchmarkResult benchmark(const BenchmarkOptions& options, Communicator& communicator) {
  const WordPiece tokenizer(numbered_vocabulary(options.config.vocab_size), true);
  BertForPretraining model(options.config, Head::kMlm);
  model.parameters().initialize(kSeed, options.config.initializer_range);
  const int64_t micro = options.micro_batch.value_or(std::max<int64_t>(1, options.batch / communicator.size()));
  PretrainingTask task(model, tokenizer,
                       TrainingBatches(masked(random_sequences(options, tokenizer.vocabulary()), Masker({}, tokenizer)),
                                       kSeed, MicroSlices(options.batch, micro)),
                       std::nullopt, {});
  BenchmarkResult result;
  const double peak_flops = measure_peak(options.dtype, communicator);
  TrainerOptions trainer_options;
  trainer_options.dtype = options.dtype;
  trainer_options.recompute = options.recompute;
  trainer_options.steps = kWarmUpSteps + options.steps;
  trainer_options.schedule = {ScheduleKind::kConstant, 1e-4, 0, trainer_options.steps};
  trainer_options.reduction = options.reduction;
  trainer_options.sharding = options.sharding;
  Trainer trainer(trainer_options, task, communicator, {});
  std::vector<double> seconds, tokens_per_s, mfu, communication;
  for (int64_t step = 0; step < trainer_options.steps; ++step) {
    const StepReport report = trainer.step();
    if (step < kWarmUpSteps) continue;
    seconds.push_back(report.seconds);
    tokens_per_s.push_back(static_cast<double>(report.tokens) / report.seconds);
    mfu.push_back(report.flops / report.seconds / peak_flops);
    communication.push_back(report.exposed_seconds / report.seconds);
  }
  return {median(tokens_per_s), median(seconds), median(mfu), median(communication), peak_flops / 1e9, peak_rss_mib()};
}

}  // namespace bertha
