#include <memory>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "cli/inspect/show.h"

namespace bertha {
namespace {

constexpr int64_t kMostSamples = 1'000'000;

/// An option that the subject has no use for is a mistake.
void check_use(bool given, bool has_use, const char* option, const Subject& subject, const char* expected) {
  check<ConfigError>(!given || has_use, option, ": ", subject.path, " is a ", to_text(subject.kind), " (expected ",
                     expected, ")");
}

void check_options(const Subject& subject, const InspectOptions& options) {
  const bool tensors = holds_tensors(subject.kind);
  const bool sequences = !tensors && subject.kind != Kind::kRun;
  check_use(!options.filter.empty(), tensors, "--filter", subject, "something that holds tensors");
  check_use(options.stats, tensors || sequences, "--stats", subject, "something that holds tensors or sequences");
  check_use(options.moments, subject.kind == Kind::kCheckpoint, "--moments", subject, "a checkpoint");
  check_use(options.samples.has_value(), sequences, "--samples", subject, "something that holds sequences");
  check_use(options.advice, subject.kind == Kind::kRun, "--advice", subject, "a run directory");
  check_use(!options.vocab.empty(), !tensors, "--vocab", subject, "shards or a run directory");
}

void show(const InspectOptions& options) {
  const Subject subject = recognize(options.path);
  check_options(subject, options);
  if (holds_tensors(subject.kind)) {
    show_model(subject, options);
  } else if (subject.kind == Kind::kRun) {
    show_run(subject, options);
  } else if (subject.kind == Kind::kPremasked) {
    show_premasked(subject, options);
  } else {
    show_shards(subject, options);
  }
}

/// They are not the subcommand's.
void refuse_options_before_subcommand(const CLI::App& inspect) {
  for (const CLI::Option* option : inspect.get_options()) {
    check<ConfigError>(option->count() == 0, option->get_name(), ": stands before the subcommand (expected behind it, ",
                       "where the subcommand has it)");
  }
}

void add_json(CLI::App& command, InspectOptions& options) {
  command.add_flag("--json", options.json, "Print one JSON object");
}

void add_filter(CLI::App& command, InspectOptions& options) {
  command.add_option("--filter", options.filter, "Only tensors whose name contains a match of this regular expression");
}

void add_moments(CLI::App& command, InspectOptions& options) {
  command.add_flag("--moments", options.moments, "The optimiser's moments of a checkpoint, too");
}

void add_verify(CLI::App& inspect, const std::shared_ptr<InspectOptions>& options) {
  CLI::App* command = inspect.add_subcommand(
      "verify", "Reads everything and says whether every byte is what was written (exit code 3 where not).");
  command->add_option("PATH", options->path, "A checkpoint, model directory, shard directory, or a file of one")
      ->required();
  add_json(*command, *options);
  command->callback([options, &inspect] {
    refuse_options_before_subcommand(inspect);
    show_verdict(*options);
  });
}

void add_diff(CLI::App& inspect, const std::shared_ptr<InspectOptions>& options) {
  CLI::App* command = inspect.add_subcommand("diff", "Says what differs between two, or that nothing does.");
  command->add_option("A", options->path, "A model directory, checkpoint or safetensors file")->required();
  command->add_option("B", options->other, "Another")->required();
  add_filter(*command, *options);
  add_moments(*command, *options);
  add_json(*command, *options);
  command->callback([options, &inspect] {
    refuse_options_before_subcommand(inspect);
    show_difference(*options);
  });
}

}  // namespace

void add_inspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand(
      "inspect",
      "Shows what a model directory, checkpoint, safetensors file, shard directory, shard or run directory holds.");
  auto* path = command->add_option("PATH", options->path, "What to look into");
  add_filter(*command, *options);
  command->add_flag("--stats", options->stats, "Reads all: statistics of every tensor, or of the sequences of shards");
  add_moments(*command, *options);
  command->add_option("--samples", options->samples, "Sequences of shards to show as text (3)")
      ->check(CLI::Range(int64_t{0}, kMostSamples));
  command->add_option("--vocab", options->vocab, "The vocabulary of shards, or a model directory");
  command->add_flag("--advice", options->advice, "What the numbers of a run suggest");
  add_json(*command, *options);
  add_verify(*command, options);
  add_diff(*command, options);
  command->callback([options, command, path] {
    if (!command->get_subcommands().empty()) return;
    if (path->count() == 0) throw CLI::RequiredError("PATH");
    show(*options);
  });
}

}  // namespace bertha
