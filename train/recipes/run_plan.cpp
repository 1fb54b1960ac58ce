#include "train/recipes/run_plan.h"

#include <fmt/format.h>

#include <filesystem>

#include "data/micro_slices.h"
#include "train/duration.h"
#include "train/recipes/run_setup.h"
#include "train/slice_tree.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

double mib(int64_t bytes) {
  return static_cast<double>(bytes) / 0x1p20;
}

}  // namespace

void RunPlan::say_step(std::string_view samples) {
  const MicroSlices slices(training_.global_batch_size, micro_batch_size(training_, ranks_));
  const IndexRange most = rank_slices(slices.count(), 0, ranks_);
  say(fmt::format("step: {} {} in {} micro-slices of up to {}, at most {} on each of {} ranks",
                  training_.global_batch_size, samples, slices.count(), slices.at(0).size(), most.size(), ranks_));
}

void RunPlan::say_length(std::optional<int64_t> samples) {
  if (training_.time_budget) {
    say("length: " + to_text(*training_.time_budget) + " of steps, evaluations and checkpoints");
  } else if (training_.steps || samples) {
    const int64_t steps = steps_of(training_, samples.value_or(0));
    trainer_options(training_, communication_, checkpoint_, steps);  // refuses what does not fit
    say(fmt::format("length: {} steps", steps));
  }
}

void RunPlan::say_memory(const BertConfig& model, PlannedStep step) {
  const MicroSlices slices(training_.global_batch_size, micro_batch_size(training_, ranks_));
  const IndexRange most = rank_slices(slices.count(), 0, ranks_);
  step.gradient_blocks = training_.deterministic ? SliceTree::peak_blocks(most) : 0;
  step.optimizer_ranks = communication_.shard_optimizer ? ranks_ : 1;
  step.dtype = training_.precision;
  step.recompute = training_.recompute;
  const MemoryPlan plan = plan_memory(model, step);
  const std::string teacher = plan.teacher > 0 ? fmt::format("the teacher {:.0f}, ", mib(plan.teacher)) : "";
  say(
      fmt::format("memory of a rank: {:.0f} MiB (parameters, gradients and moments {:.0f}, activations {:.0f}, logits "
                  "{:.0f}, evaluation besides {:.0f}, deterministic sums {:.0f}, {}the program itself {:.0f})",
                  mib(plan.total()), mib(plan.parameters), mib(plan.activations), mib(plan.logits),
                  mib(plan.evaluation), mib(plan.slices), teacher, mib(plan.process)));
}

void RunPlan::say_disk(const std::string& output, int64_t bytes) {
  fs::path existing = fs::absolute(output);
  while (!fs::exists(existing)) existing = existing.parent_path();
  const auto available = static_cast<int64_t>(fs::space(existing).available);
  say(fmt::format("disk: up to {:.0f} MiB, {:.0f} MiB free", mib(bytes), mib(available)));
  check<Error>(available >= bytes, output, ": ", available, " bytes are free (the run needs up to ", bytes, ")");
}

}  // namespace bertha
