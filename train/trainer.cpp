#include "train/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <sstream>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/comm/failure_watch.h"
#include "train/model_directory.h"
#include "train/nonfinite.h"
#include "train/phase.h"
#include "train/process.h"
#include "train/rank_agreement.h"
#include "train/stop_signal.h"

namespace bertha {
namespace {

constexpr int64_t kBucketBytes = int64_t{16} << 20;
constexpr int64_t kMostSpikes = 10;  // skipped in a row, or rewound to one checkpoint: more are no accident
constexpr const char* kSkippedKey = "skipped";

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// `best/` says so which evaluation it is of: a run that went on from before it may never come to that one again.
constexpr const char* kStepName = "step.txt";
constexpr uint64_t kLargestStepText = 64;

std::string step_text(int64_t step) {
  return std::to_string(step) + "\n";
}

// Rank 0's text, on every rank.
std::string agree(Communicator& communicator, const std::string& text) {
  return communicator.all_gather(text).front();
}

// A mean over all ranks' labels, by loss part.
std::vector<double> scales_of(std::span<const LossSums> parts) {
  std::vector<double> scales;
  for (const LossSums& part : parts) scales.push_back(part.labels ? 1.0 / static_cast<double>(part.labels) : 0);
  return scales;
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
  if (is_writer()) checkpoints_.emplace(options_.output + "/checkpoints", options_.keep_checkpoints);
  const std::string directory = newest_good_checkpoint(1);
  if (!directory.empty()) {
    restore(directory);
    if (is_writer()) events_.note("resuming from " + directory);
  }
  require_equal_parameters(communicator_, task_.parameters(), step_);
  if (is_writer() && !directory.empty()) checkpoints_->go_on_from(directory);
  continue_history();
  return step_;
}

// Of a step that is a multiple of `every`. The same on every rank; empty where there is none.
std::string Trainer::newest_good_checkpoint(int64_t every) {
  std::string directory;
  if (is_writer()) {
    const Checkpoints::Choice choice = checkpoints_->newest_good(every);
    for (const std::string& sentence : choice.skipped) events_.note("passed over a checkpoint: " + sentence);
    check<DamagedFileError>(every > 1 || choice.directory || choice.skipped.empty(), options_.output,
                            "/checkpoints: none is whole (remove the directory to train from the start): ",
                            choice.skipped.empty() ? "" : choice.skipped.front());
    directory = choice.directory.value_or("");
  }
  return agree(communicator_, directory);
}

void Trainer::restore(const std::string& directory) {
  const TrainingStateFile file(directory);
  const TrainingState& state = file.state();
  check_same_run(directory, state.identity, task_.identity());
  check<MismatchError>(options_.time_budget || state.step <= options_.steps, directory, ": is at step ", state.step,
                       " (the run ends at step ", options_.steps, ")");
  batches_ = state.samples / options_.global_batch_size;
  check<DamagedFileError>(state.samples % options_.global_batch_size == 0 && batches_ >= state.step, directory, ": ",
                          state.samples, " samples in ", state.step, " steps (of ", options_.global_batch_size,
                          " each, or more)");
  read_weights(directory, task_.parameters());
  saved_moments().read(file);
  step_ = state.step;
  tokens_ = state.tokens;
  budget_used_ = static_cast<double>(state.budget_used_ms) / 1e3;
  resumed_configuration_ = state.configuration;
  optimizer_.set_steps(step_);
  started_ = false;
  has_checkpoint_ = true;
}

// Of the steps done; later ones are forgotten.
void Trainer::continue_history() {
  recall_best();
  if (!is_writer()) return;
  recall_spikes();
  metrics_.emplace(options_.output, step_);
}

void Trainer::recall_spikes() {
  if (options_.spikes.action == SpikeAction::kNone) return;
  spikes_.emplace(options_.spikes.threshold, options_.spikes.window);
  for_each_metrics_line(options_.output, "train", step_, [&](const MetricsLine& line) {
    if (line.find(kSkippedKey)) {
      spikes_->add_spike();
    } else {
      spikes_->add_good_step(line.find("loss").value_or(NAN), line.find("grad_norm").value_or(NAN));
    }
  });
}

// The history says which evaluation was the best and how many came after it, so no checkpoint needs to.
void Trainer::recall_best() {
  if (options_.deciding_metric.empty()) return;
  best_.emplace(options_.deciding_metric, options_.patience);
  for (const auto& [step, value] : evaluation_history(options_.output, best_->metric(), step_)) best_->add(step, value);
  communicator_.barrier();  // rank 0 cuts the history next
}

Trainer::Outcome Trainer::run() {
  try {
    return train();
  } catch (const std::exception& error) {
    announce_failure(error);  // buckets of gradients that are on their way wait for the other ranks
    throw;
  }
}

Trainer::Outcome Trainer::train() {
  const StopSignals signals;
  bool saved = true;
  bool stop = false;
  start_ = Clock::now();
  record_rewind();
  if (options_.time_budget) budget_.emplace(*options_.time_budget, budget_used_, options_.budget_clock);
  const auto is_out_of_patience = [this] { return best_ && best_->is_over(); };
  bool finished = (budget_ ? budget_->was_spent() : step_ == options_.steps) || is_out_of_patience();
  const bool goes_back = options_.spikes.action == SpikeAction::kRewind;
  if (!finished && goes_back && !has_checkpoint_) save_checkpoint();
  while (!finished && !stop) {
    const StepReport report = step();
    stop = report.stop;
    if (!report.spike.empty() && options_.spikes.action == SpikeAction::kStop) stop_before(report);
    if (!report.spike.empty() && goes_back) {
      rewind(report);
      saved = true;
      continue;
    }
    write_step(report);
    finished = report.last;
    if (finished || is_due(TimeBudget::Work::kEvaluation, report)) evaluate();
    finished = finished || is_out_of_patience();
    if (finished && budget_) budget_->end();
    saved = finished || is_due(TimeBudget::Work::kCheckpoint, report);
    if (saved) {
      save_checkpoint();
      rewinds_ = 0;
    }
  }
  if (!saved) save_checkpoint();
  return finished ? Outcome::kFinished : Outcome::kStopped;
}

StepReport Trainer::step() {
  const Clock::time_point begin = Clock::now();
  enter(Phase::kLoad, step_ + 1);
  if (budget_) budget_->begin();
  if (!std::exchange(started_, true)) task_.start(batches_, local_slices_);
  StepReport report;
  accumulate_gradients(report);
  enter(Phase::kUpdate);
  report.learning_rate =
      budget_ ? options_.schedule.learning_rate(step_, report.budget_share) : options_.schedule.learning_rate(step_);
  report.gradient_norm = optimizer_.gradient_norm();
  verify_parameters();
  report.spike = find_spike(report);
  if (report.spike.empty()) {
    update(report);
  } else if (options_.spikes.action != SpikeAction::kSkip) {
    return report;
  }
  ++step_;
  ++batches_;
  tokens_ += report.tokens;
  optimizer_.set_steps(step_);  // one whose update was skipped counts
  report.seconds = seconds_since(begin);
  if (budget_) budget_->finish(TimeBudget::Work::kStep);
  return report;
}

void Trainer::update(StepReport& report) {
  optimizer_.apply(report.learning_rate, report.gradient_norm);
  enter(Phase::kCommunication);
  const Clock::time_point gathering = Clock::now();
  optimizer_.gather_values();
  report.exposed_seconds += seconds_since(gathering);
}

// Before the update, by which ranks that share the optimiser overwrite what they have of each other's parameters.
void Trainer::verify_parameters() {
  const int64_t every = options_.verify_every;
  if (every > 0 && step_ > 0 && step_ % every == 0) require_equal_parameters(communicator_, task_.parameters(), step_);
}

void Trainer::accumulate_gradients(StepReport& report) {
  const std::vector<BatchCounts> counts = task_.next_batch();
  enter(Phase::kCommunication);
  reduce_counts(counts, report);
  const std::vector<double> scales = scales_of(report.parts);
  const size_t parts = report.parts.size();
  std::vector<LossSums> by_slice(counts.size() * parts);
  for (size_t i = 0; i < counts.size(); ++i) {
    backward_slice(i, scales, std::span(by_slice).subspan(i * parts, parts));
  }
  enter(Phase::kCommunication);
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
  enter(Phase::kForward);
  const Var loss = task_.loss(run, index, scales, sums);
  enter(Phase::kBackward);
  tape.backward(loss);
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

// Why this step's update should not be made; empty where it should. The same on every rank, whatever a rank alone sees.
std::string Trainer::find_spike(const StepReport& report) {
  const bool finite = std::isfinite(report.loss()) && std::isfinite(report.gradient_norm);
  std::string spike = finite && spikes_ ? spikes_->judge(report.loss(), report.gradient_norm) : "";
  const bool skips = options_.spikes.action == SpikeAction::kSkip;
  std::array<int64_t, 3> found = {!finite, !spike.empty(), skips && spikes_ && spikes_->in_a_row() >= kMostSpikes};
  communicator_.all_reduce_sum(std::span<int64_t>(found));
  if (found[0] + found[1] == 0) return {};
  if (found[0] > 0) {
    std::ostringstream sentence;
    sentence << "loss " << report.loss() << ", gradient norm " << report.gradient_norm
             << "; first not finite: " << locate_nonfinite(report);
    spike = sentence.str();
  }
  spike = agree(communicator_, spike);
  check<Error>(options_.spikes.action != SpikeAction::kNone, "step ", step_ + 1, ": ", spike,
               " (the last checkpoint stands; a lower learning rate or more warm-up steps may help)");
  check<Error>(found[2] == 0, "step ", step_ + 1, ": ", spike, " (after ", kMostSpikes, " skipped updates in a row)");
  return spike;
}

std::string Trainer::locate_nonfinite(const StepReport& report) {
  const std::vector<double> scales = scales_of(report.parts);
  const auto again = [this](Tape* tape, size_t slice) {
    Run run = make_run(tape, slice);
    run.on_gradient = nullptr;
    return run;
  };
  return bertha::locate_nonfinite({task_, static_cast<size_t>(local_slices_.size()), scales, again}, communicator_);
}

// Back to the newest good checkpoint, and on with the samples behind the spike. Where there is one that was due it is
// that: a run that was stopped, and saved then, goes back no other way.
// Source: Chowdhery et al. 2022 (arXiv:2204.02311) §5.1.
void Trainer::rewind(const StepReport& report) {
  const std::string spike = "step " + std::to_string(step_ + 1) + ": " + report.spike;
  check<Error>(++rewinds_ <= kMostSpikes, spike, " (after ", kMostSpikes, " rewinds to one checkpoint)");
  const int64_t next_batch = batches_ + 1;
  std::string directory = newest_good_checkpoint(options_.checkpoint_every);
  if (directory.empty()) directory = newest_good_checkpoint(1);
  check<Error>(!directory.empty(), spike, "; there is no good checkpoint to go back to");
  restore(directory);
  batches_ = next_batch;
  if (is_writer()) events_.note(spike + "; back to " + directory + ", and on with the samples behind");
  // From here on a crash does not bring the spike back. Until then it finds the history of the steps that are given up.
  commit_checkpoint();
  if (is_writer()) checkpoints_->remove_after(step_);
  continue_history();
  record_rewind();
}

// The batches that were jumped over and that no line tells of yet: by a rewind just now, or by one that a crash cut
// short once its checkpoint was saved.
void Trainer::record_rewind() {
  if (!is_writer() || batches_ == step_) return;
  double untold = static_cast<double>(batches_ - step_);
  for_each_metrics_line(options_.output, "rewind", step_, [&](const MetricsLine& line) {
    untold -= line.find("from_step").value_or(0) - static_cast<double>(line.step);
  });
  if (untold > 0) write({"rewind", step_, {{"from_step", static_cast<double>(step_) + untold}}});
}

void Trainer::stop_before(const StepReport& report) {
  save_checkpoint();
  fail<Error>("step ", step_ + 1, ": ", report.spike, "; stopped before its update, saved in ", options_.output,
              "/checkpoints");
}

void Trainer::write_step(const StepReport& report) {
  if (!is_writer()) return;
  const bool skipped = !report.spike.empty();
  if (skipped) events_.note("step " + std::to_string(step_) + ": " + report.spike + "; its update is skipped");
  if (spikes_) skipped ? spikes_->add_spike() : spikes_->add_good_step(report.loss(), report.gradient_norm);
  MetricsLine line{"train", step_, {}};
  line.add("tokens", static_cast<double>(tokens_));
  line.add("loss", report.loss());
  for (size_t p = 0; p < report.parts.size(); ++p) {
    line.add(task_.loss_parts()[p] + "_loss", report.parts[p].mean());
    if (task_.has_accuracy()) line.add(task_.loss_parts()[p] + "_accuracy", report.parts[p].accuracy());
  }
  line.add("learning_rate", report.learning_rate);
  line.add("grad_norm", report.gradient_norm);
  line.add("tokens_per_s", static_cast<double>(report.tokens) / report.seconds);
  line.add("mfu", report.flops / report.seconds / options_.peak_flops);
  line.add("communication_share", report.exposed_seconds / report.seconds);
  line.add("peak_rss_mib", peak_rss_mib());
  if (budget_) line.add("budget_share", report.budget_share);
  if (skipped) line.add(kSkippedKey, 1);
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
  if (!better || !is_writer()) return;
  ModelContent content = task_.model_content();
  content.files.push_back({kStepName, step_text(step_)});
  publish_model(options_.output + "/best", content);
}

bool Trainer::restore_best() {
  const std::string directory = options_.output + "/best";
  std::string step;
  if (is_writer() && path_exists(directory + "/" + kStepName)) {
    step = read_text(directory + "/" + kStepName, kLargestStepText);
  }
  const bool is_best = best_step() && agree(communicator_, step) == step_text(*best_step());
  if (is_best) read_weights(directory, task_.parameters());
  return is_best;
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
  const double seconds = commit_checkpoint();
  if (is_writer()) write({"checkpoint", step_, {{"save_s", seconds}}});
}

// Returns how long the writer took.
double Trainer::commit_checkpoint() {
  enter(Phase::kCheckpoint);
  if (budget_) budget_->begin();
  require_equal_parameters(communicator_, task_.parameters(), step_);
  SavedMoments moments = saved_moments();
  const Clock::time_point begin = Clock::now();
  if (is_writer()) {
    const TrainingState state = {.step = step_,
                                 .samples = batches_ * options_.global_batch_size,
                                 .tokens = tokens_,
                                 .budget_used_ms = budget_ ? std::llround(budget_->used() * 1e3) : 0,
                                 .optimizer = options_.optimizer.kind == OptimizerKind::kLamb ? "lamb" : "adamw",
                                 .configuration = options_.configuration,
                                 .identity = task_.identity()};
    metrics_->sync();  // a checkpoint vouches for the history before it, of which the best model is a part
    checkpoints_->save(task_.model_content(), state, moments.to_write());
  } else {
    moments.send();
  }
  const double seconds = seconds_since(begin);
  communicator_.barrier();
  has_checkpoint_ = true;
  if (budget_) budget_->finish(TimeBudget::Work::kCheckpoint);
  return seconds;
}

SavedMoments Trainer::saved_moments() {
  const bool sharded = options_.sharding == Sharding::kOn;
  return {optimizer_, task_.parameters(), sharded ? std::span<const Bucket>(buckets_) : std::span<const Bucket>(),
          communicator_};
}

}  // namespace bertha
