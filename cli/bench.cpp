#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "autograd/core/error.h"
#include "autograd/kernels/isa.h"
#include "cli/commands.h"
#include "train/recipes/benchmark.h"

namespace bertha {
namespace {

struct BenchCommand {
  std::string size = "base";
  std::string dtype = "f32";
  BenchmarkOptions options;
  bool deterministic = false;
  bool no_overlap = false;
  bool shard_optimizer = false;
  bool json = false;
};

void run_bench(BenchCommand command) {
  const auto communicator = make_communicator();
  command.options.config = preset(command.size);
  command.options.dtype = command.dtype == "bf16" ? DType::bf16 : DType::f32;
  check<ConfigError>(command.dtype != "bf16" || kernels::has_bf16(), "--dtype bf16: this processor has no AVX512_BF16");
  check<ConfigError>(command.options.sequence_length <= command.options.config.max_position_embeddings,
                     "--sequence-length ", command.options.sequence_length, " (the preset has ",
                     command.options.config.max_position_embeddings, " positions)");
  command.options.reduction = command.deterministic ? Reduction::kDeterministic
                              : command.no_overlap  ? Reduction::kAfterBackward
                                                    : Reduction::kOverlapped;
  command.options.sharding = command.shard_optimizer ? Sharding::kOn : Sharding::kOff;
  const BenchmarkResult r = benchmark(command.options, *communicator);
  if (communicator->rank() != 0) return;
  if (command.json) {
    const nlohmann::ordered_json object = {{"tokens_per_s", r.tokens_per_s},
                                           {"step_s", r.step_s},
                                           {"mfu", r.mfu},
                                           {"communication_share", r.communication_share},
                                           {"peak_gflops", r.peak_gflops},
                                           {"peak_rss_mib", r.peak_rss_mib}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{:.1f} tokens/s, {:.3f} s a step, {:.1f} % of {:.0f} GFLOP/s, {:.1f} % waiting for ranks, {:.0f} MiB\n",
               r.tokens_per_s, r.step_s, 100 * r.mfu, r.peak_gflops, 100 * r.communication_share, r.peak_rss_mib);
  }
}

}  // namespace

void add_bench(CLI::App& app) {
  const auto command = std::make_shared<BenchCommand>();
  BenchmarkOptions& options = command->options;
  CLI::App* sub =
      app.add_subcommand("bench", "Times full pretraining steps on random tokens. Also runs under mpirun -n N.");
  std::set<std::string> sizes;
  for (const std::string_view name : preset_names()) sizes.emplace(name);
  sub->add_option("--size", command->size, "A preset (default: base)")->check(CLI::IsMember(sizes));
  sub->add_option("--sequence-length", options.sequence_length, "Tokens of the longest row")
      ->check(CLI::Range(3, 65535));
  sub->add_option("--batch", options.batch, "Sequences a step, over all ranks")->check(CLI::Range(1, 1 << 20));
  sub->add_option("--micro-batch", options.micro_batch, "Sequences of one backward pass (default: batch / ranks)")
      ->check(CLI::Range(1, 1 << 20));
  sub->add_option("--dtype", command->dtype, "Type of activations and products")->check(CLI::IsMember({"f32", "bf16"}));
  sub->add_option("--fill", options.fill, "Row lengths are uniform in [2 fill - 1, 1] x S")
      ->check(CLI::Range(0.5, 1.0));
  sub->add_option("--steps", options.steps, "Steps to measure, after 2 of warm-up")->check(CLI::Range(1, 1 << 20));
  sub->add_flag("--recompute", options.recompute, "Layers keep their input only and run again in backward");
  sub->add_flag("--deterministic", command->deterministic, "Sum gradients to the same bits on any number of ranks");
  sub->add_flag("--no-overlap", command->no_overlap, "Sum gradients after backward, not while it runs");
  sub->add_flag("--shard-optimizer", command->shard_optimizer, "Each rank updates its share of the parameters");
  sub->add_flag("--json", command->json, "One JSON object");
  sub->callback([command] { run_bench(*command); });
}

}  // namespace bertha
