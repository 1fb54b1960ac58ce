#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/isa.h"
#include "train/model_directory.h"
#include "train/process.h"
#include "train/rank_agreement.h"
#include "train/stop_signal.h"

namespace bertha {
namespace {

constexpr int64_t kBucketBytes = int64_t{16} << 20;

bool all_finite(const Tensor& tensor) {
  return kernels::dispatch(tensor.dtype(), [&]<class Isa, class T>() {
    return std::ranges::all_of(tensor.span<T>(), [](T x) { return std::isfinite(static_cast<float>(x)); });
  });
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Rank 0's text, on every rank.
std::string agree(Communicator& communicator, const std::string& text) {
  return communicator.all_gather(text).front();
}

}  // namespace

double StepReport::loss() const {
  double total = 0;
  for (const LossSums& part : parts) total += part.mean();
  return total;
}

Trainer::Trainer(const TrainerOptions& options, TrainingTask& task, Communicator& communicator, const RunEvents& events)
    : options_(options),
      task_(task),
      communicator_(communicator),
      events_(events),
      buckets_(cut_into_buckets(task.parameters(), kBucketBytes, communicator.size())),
      optimizer_(options.sharding == Sharding::kOn
                     ? Optimizer(options.optimizer, task.parameters(), buckets_, communicator)
                     : Optimizer(options.optimizer, task.parameters())),
      local_slices_(rank_slices(task.slices(), communicator.rank(), communicator.size())) {
  if (options.reduction == Reduction::kDeterministic) {
    tree_.emplace(task.slices(), communicator, task.parameters().gradients(), buckets_, options.sharding);
  } else {
    reducer_.emplace(communicator, task.parameters(), buckets_,
                     options.reduction == Reduction::kOverlapped ? Overlap::kOn : Overlap::kOff, options.sharding);
  }
}

int64_t Trainer::resume() {
  std::string directory;
  if (is_writer()) {
    checkpoints_.emplace(options_.output + "/checkpoints", options_.keep_checkpoints);
    const Checkpoints::Choice choice = checkpoints_->newest_good();
    for (const std::string& sentence : choice.skipped) events_.note("passed over a checkpoint: " + sentence);
    directory = choice.directory.value_or("");
  }
  directory = agree(communicator_, directory);
  if (!directory.empty()) {
    const TrainingStateFile file(directory);
    check_same_run(directory, file.state().identity, task_.identity());
    check<MismatchError>(options_.time_budget || file.state().step <= options_.steps, directory, ": is at step ",
                         file.state().step, " (the run ends at step ", options_.steps, ")");
    read_weights(directory, task_.parameters());
    saved_moments().read(file);
    step_ = file.state().step;
    tokens_ = file.state().tokens;
    budget_used_ = static_cast<double>(file.state().budget_used_ms) / 1e3;
    optimizer_.set_steps(step_);
    if (is_writer()) events_.note("resuming from " + directory);
  }
  require_equal_parameters(communicator_, task_.parameters(), step_);
  recall_best();
  if (is_writer()) metrics_.emplace(options_.output, step_);
  return step_;
}

// The history says which evaluation was the best and how many came after it, so no checkpoint needs to.
void Trainer::recall_best() {
  if (options_.deciding_metric.empty()) return;
  best_.emplace(options_.deciding_metric, options_.patience);
  for (const auto& [step, value] : evaluation_history(options_.output, best_->metric(), step_)) best_->add(step, value);
  communicator_.barrier();  // rank 0 cuts the history next
}

Trainer::Outcome Trainer::run() {
  const StopSignals signals;
  bool saved = true;
  bool stop = false;
  start_ = Clock::now();
  if (options_.time_budget) budget_.emplace(*options_.time_budget, budget_used_, options_.budget_clock);
  const auto is_out_of_patience = [this] { return best_ && best_->is_over(); };
  bool finished = (budget_ ? budget_->was_spent() : step_ == options_.steps) || is_out_of_patience();
  while (!finished && !stop) {
    const StepReport report = step();
    write_step(report);
    finished = report.last;
    if (finished || is_due(TimeBudget::Work::kEvaluation, report)) evaluate();
    finished = finished || is_out_of_patience();
    if (finished && budget_) budget_->end();
    saved = finished || is_due(TimeBudget::Work::kCheckpoint, report);
    if (saved) save_checkpoint();
    stop = report.stop;
  }
  if (!saved) save_checkpoint();
  return finished ? Outcome::kFinished : Outcome::kStopped;
}

StepReport Trainer::step() {
  const Clock::time_point begin = Clock::now();
  if (budget_) budget_->begin();
  if (!std::exchange(started_, true)) task_.start(step_, local_slices_);
  StepReport report;
  accumulate_gradients(report);
  report.learning_rate =
      budget_ ? options_.schedule.learning_rate(step_, report.budget_share) : options_.schedule.learning_rate(step_);
  report.gradient_norm = optimizer_.gradient_norm();
  require_finite(report);
  optimizer_.apply(report.learning_rate, report.gradient_norm);
  const Clock::time_point gathering = Clock::now();
  optimizer_.gather_values();
  report.exposed_seconds += seconds_since(gathering);
  ++step_;
  tokens_ += report.tokens;
  report.seconds = seconds_since(begin);
  if (budget_) budget_->finish(TimeBudget::Work::kStep);
  return report;
}

void Trainer::accumulate_gradients(StepReport& report) {
  const std::vector<BatchCounts> counts = task_.next_batch();
  reduce_counts(counts, report);
  std::vector<double> scales;
  for (const LossSums& part : report.parts) scales.push_back(part.labels ? 1.0 / static_cast<double>(part.labels) : 0);
  const size_t parts = report.parts.size();
  std::vector<LossSums> by_slice(counts.size() * parts);
  for (size_t i = 0; i < counts.size(); ++i) {
    backward_slice(i, scales, std::span(by_slice).subspan(i * parts, parts));
  }
  const Clock::time_point waiting = Clock::now();
  if (tree_) tree_->finish();
  if (reducer_) reducer_->finish();
  report.exposed_seconds = seconds_since(waiting);
  reduce_losses(by_slice, report);
}

// Counts come first: a mean over all ranks' labels scales the sums of each.
void Trainer::reduce_counts(std::span<const BatchCounts> counts, StepReport& report) {
  const size_t parts = task_.loss_parts().size();
  std::vector<int64_t> sums(parts + 2);
  for (const BatchCounts& slice : counts) {
    for (size_t p = 0; p < parts; ++p) sums[p] += slice.labels[p];
    sums[parts] += slice.tokens;
    report.flops += slice.flops;
  }
  sums[parts + 1] = StopSignals::received();
  communicator_.all_reduce_sum(std::span<int64_t>(sums));
  communicator_.all_reduce_sum(std::span<double>(&report.flops, 1));
  for (size_t p = 0; p < parts; ++p) report.parts.push_back({0, sums[p], 0});
  report.tokens = sums[parts];
  report.stop = sums[parts + 1] > 0;
}

Run Trainer::make_run(Tape* tape, size_t index) {
  Run run;
  run.tape = tape;
  run.training = true;
  run.dtype = options_.dtype;
  run.recompute = options_.recompute;
  run.seed = options_.seed;
  run.step = static_cast<uint32_t>(step_);
  const bool first = index == 0 || tree_;
  run.gradient = first ? Tape::Gradient::kOverwrite : Tape::Gradient::kAccumulate;
  const bool last = static_cast<int64_t>(index) + 1 == local_slices_.size();
  if (reducer_ && last) run.on_gradient = [this](const Parameter& parameter) { reducer_->ready(parameter); };
  return run;
}

void Trainer::backward_slice(size_t index, std::span<const double> scales, std::span<LossSums> sums) {
  Tape tape;
  Run run = make_run(&tape, index);
  tape.backward(task_.loss(run, index, scales, sums));
  if (tree_) tree_->add(local_slices_.begin + static_cast<int64_t>(index));
}

// Each slice has a place of its own in the exchange, so that the sum does not depend on who computed which. Rank 0
// alone adds what its clock says, so that all ranks go by it.
void Trainer::reduce_losses(std::span<const LossSums> by_slice, StepReport& report) {
  const size_t parts = report.parts.size();
  std::vector<double> losses(static_cast<size_t>(task_.slices()) * parts);
  std::vector<int64_t> correct(parts + 1);
  for (size_t i = 0; i < by_slice.size(); ++i) {
    losses[static_cast<size_t>(local_slices_.begin) * parts + i] = by_slice[i].loss;
    correct[i % parts] += by_slice[i].correct;
  }
  losses.push_back(budget_ && is_writer() ? budget_->share() : 0);
  correct.back() = is_writer() && is_last_step();
  communicator_.all_reduce_sum(std::span<double>(losses));
  communicator_.all_reduce_sum(std::span<int64_t>(correct));
  report.budget_share = losses.back();
  report.last = correct.back() > 0;
  losses.pop_back();
  for (size_t i = 0; i < losses.size(); ++i) report.parts[i % parts].loss += losses[i];
  for (size_t p = 0; p < parts; ++p) report.parts[p].correct = correct[p];
}

bool Trainer::is_last_step() const {
  if (!budget_) return step_ + 1 == options_.steps;
  const bool evaluates = (step_ + 1) % options_.evaluate_every == 0;
  const bool saves = (step_ + 1) % options_.checkpoint_every == 0;
  return budget_->is_last_step((evaluates ? budget_->expected(TimeBudget::Work::kEvaluation) : 0) +
                               (saves ? budget_->expected(TimeBudget::Work::kCheckpoint) : 0));
}

// After the step that `report` is of.
bool Trainer::is_due(TimeBudget::Work work, const StepReport& report) const {
  const int64_t every = work == TimeBudget::Work::kEvaluation ? options_.evaluate_every : options_.checkpoint_every;
  return step_ % every == 0 || (budget_ && budget_->is_trial_due(work, report.budget_share));
}

void Trainer::require_finite(const StepReport& report) {
  if (std::isfinite(report.loss()) && std::isfinite(report.gradient_norm)) return;
  std::string cause;
  for (const std::string& found : communicator_.all_gather(first_nonfinite_activation())) {
    if (cause.empty()) cause = found;
  }
  if (cause.empty()) {
    gather_gradients();
    const PublishedTensor* tensor = first_tensor_with_nonfinite_gradient(task_.parameters());
    cause = tensor ? "the gradient of '" + tensor->name + "'" : "the gradient norm";
  }
  fail<Error>("step ", step_ + 1, ": loss ", report.loss(), ", gradient norm ", report.gradient_norm,
              "; first not finite: ", cause,
              " (the last checkpoint stands; a lower learning rate or more warm-up steps may help)");
}

// With a sharded optimiser a rank has the sums of its shares only.
void Trainer::gather_gradients() {
  if (options_.sharding == Sharding::kOff) return;
  for (const Bucket& bucket : buckets_) {
    communicator_.all_gather_shares(task_.parameters().gradients(), bucket.bounds);
  }
}

// Runs this rank's micro-slices again with an observer; nothing is recorded and nothing changes.
std::string Trainer::first_nonfinite_activation() {
  for (const auto& parameter : task_.parameters().parameters()) {
    if (!all_finite(parameter->value)) return "the parameter '" + parameter->slices.front().name + "'";
  }
  std::string found;
  const auto slices = static_cast<size_t>(local_slices_.size());
  const std::vector<double> scales(task_.loss_parts().size(), 1.0);
  for (size_t i = 0; i < slices && found.empty(); ++i) {
    Run run = make_run(nullptr, i);
    run.observer = [&](const std::string& path, const Tensor& tensor) {
      if (found.empty() && !all_finite(tensor)) found = "the output of '" + path + "'";
    };
    std::vector<LossSums> sums(scales.size());
    task_.loss(run, i, scales, sums);
  }
  return found;
}

void Trainer::write_step(const StepReport& report) {
  if (!is_writer()) return;
  MetricsLine line{"train", step_, {}};
  line.add("tokens", static_cast<double>(tokens_));
  line.add("loss", report.loss());
  for (size_t p = 0; p < report.parts.size(); ++p) {
    line.add(task_.loss_parts()[p] + "_loss", report.parts[p].mean());
    line.add(task_.loss_parts()[p] + "_accuracy", report.parts[p].accuracy());
  }
  line.add("learning_rate", report.learning_rate);
  line.add("grad_norm", report.gradient_norm);
  line.add("tokens_per_s", static_cast<double>(report.tokens) / report.seconds);
  line.add("mfu", report.flops / report.seconds / options_.peak_flops);
  line.add("communication_share", report.exposed_seconds / report.seconds);
  line.add("peak_rss_mib", peak_rss_mib());
  if (budget_) line.add("budget_share", report.budget_share);
  write(line);
}

void Trainer::write(const MetricsLine& line) {
  MetricsLine timed = line;
  timed.add("elapsed_s", seconds_since(start_));
  metrics_->write(timed);
  events_.metrics(timed, options_.steps);
}

void Trainer::keep_if_best(const std::vector<std::pair<std::string, double>>& values) {
  if (!best_) return;
  const auto deciding = std::ranges::find(values, best_->metric(), &std::pair<std::string, double>::first);
  check<Error>(deciding != values.end(), "evaluation: gives no '", best_->metric(), "' to decide by");
  const bool better = best_->add(step_, deciding->second);
  if (better && is_writer()) publish_model(options_.output + "/best", task_.model_content());
}

void Trainer::evaluate() {
  if (budget_) budget_->begin();
  const auto values = task_.evaluate(communicator_);
  if (budget_) budget_->finish(TimeBudget::Work::kEvaluation);
  if (values.empty()) return;
  keep_if_best(values);
  if (!is_writer()) return;
  MetricsLine line{"evaluation", step_, {{"tokens", static_cast<double>(tokens_)}}};
  line.values.insert(line.values.end(), values.begin(), values.end());
  write(line);
}

void Trainer::save_checkpoint() {
  if (budget_) budget_->begin();
  require_equal_parameters(communicator_, task_.parameters(), step_);
  SavedMoments moments = saved_moments();
  if (is_writer()) {
    const Clock::time_point begin = Clock::now();
    const TrainingState state = {.step = step_,
                                 .samples = step_ * options_.global_batch_size,
                                 .tokens = tokens_,
                                 .budget_used_ms = budget_ ? std::llround(budget_->used() * 1e3) : 0,
                                 .optimizer = options_.optimizer.kind == OptimizerKind::kLamb ? "lamb" : "adamw",
                                 .configuration = options_.configuration,
                                 .identity = task_.identity()};
    checkpoints_->save(task_.model_content(), state, moments.to_write());
    write({"checkpoint", step_, {{"save_s", seconds_since(begin)}}});
  } else {
    moments.send();
  }
  communicator_.barrier();
  if (budget_) budget_->finish(TimeBudget::Work::kCheckpoint);
}

SavedMoments Trainer::saved_moments() {
  const bool sharded = options_.sharding == Sharding::kOn;
  return {optimizer_, task_.parameters(), sharded ? std::span<const Bucket>(buckets_) : std::span<const Bucket>(),
          communicator_};
}

}  // namespace bertha
