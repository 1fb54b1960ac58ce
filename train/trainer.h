#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/run.h"
#include "train/best_model.h"
#include "train/comm/communicator.h"
#include "train/gradient_reducer.h"
#include "train/metrics_reader.h"
#include "train/optimizer.h"
#include "train/partition.h"
#include "train/saved_moments.h"
#include "train/schedule.h"
#include "train/slice_tree.h"
#include "train/spike_detector.h"
#include "train/time_budget.h"
#include "train/training_task.h"

namespace bertha {

enum class Reduction { kOverlapped, kAfterBackward, kDeterministic };

struct TrainerOptions {
  DType dtype = DType::f32;                         // of activations
  bool recompute = false;                           // as Run::recompute
  int64_t steps = 0;                                // or
  std::optional<std::chrono::seconds> time_budget;  // for steps, evaluations and checkpoints of all starts together
  int64_t global_batch_size = 0;
  uint64_t seed = 1;
  OptimizerOptions optimizer;
  Schedule schedule;
  Reduction reduction = Reduction::kOverlapped;
  Sharding sharding = Sharding::kOff;  // of the optimiser
  int64_t verify_every = 0;            // steps between comparisons of the ranks' parameters; 0: at checkpoints only
  SpikeOptions spikes;
  int64_t evaluate_every = 0;
  int64_t checkpoint_every = 0;
  int keep_checkpoints = 3;
  std::string deciding_metric;      // of evaluations: `best/` keeps the model that is highest in it; empty: none
  std::optional<int64_t> patience;  // evaluations without a better one that end the run
  std::string output;               // the run directory
  std::string configuration;        // resolved, for the checkpoint
  double peak_flops = 0;            // of all cores of all ranks, a second
  std::function<double()> budget_clock = steady_seconds;
};

/// What a run tells whoever watches; called on rank 0 only.
struct RunEvents {
  std::function<void(const std::string& sentence)> note;
  /// `steps` of the whole run, 0 where a time limits it; `line` then has the `budget_share` that is used.
  std::function<void(const MetricsLine& line, int64_t steps)> metrics;
  /// Of each run: its directory, before the first step, with all files that are known by then.
  std::function<void(const std::string& directory)> opened = [](const std::string&) {};
};

/// What one optimiser step was, over all ranks.
struct StepReport {
  int64_t tokens = 0;
  double flops = 0;
  std::vector<LossSums> parts;  // as TrainingTask::loss_parts
  double gradient_norm = 0;     // before clipping
  double learning_rate = 0;
  double seconds = 0;
  double exposed_seconds = 0;  // of these, waited for other ranks' gradients and values
  double budget_share = 0;     // used of the time for steps, by rank 0's clock; 0 without a time budget
  bool last = false;           // the run ends with this step
  bool stop = false;           // a stop signal has come on some rank
  std::string spike;           // why the update was not made; empty where it was

  /// The sum of the parts' means.
  double loss() const;
};

/// Steps from a checkpoint, or from the start, to the end: forward and backward over this rank's micro-slices, one sum
/// of gradients over all ranks, one update, a line of metrics, and evaluations and checkpoints where they are due.
class Trainer {
 public:
  Trainer(const TrainerOptions& options, TrainingTask& task, Communicator& communicator, const RunEvents& events);

  /// Continues from the newest good checkpoint where there is one; returns the steps done. Collective.
  /// Throws MismatchError where the checkpoint is of another model, vocabulary, data, seed or global batch.
  int64_t resume();

  /// The configuration that the checkpoint was written with; empty where `resume` found none.
  const std::string& resumed_configuration() const { return resumed_configuration_; }

  enum class Outcome { kFinished, kStopped };
  /// Runs up to the last step, or until a stop signal was noted on any rank; a checkpoint holds the end in both cases.
  /// It also ends, finished, where patience does. With a time budget the last step is the one behind which only its
  /// evaluation and checkpoint still fit. Needs `resume` before. Throws as `step` does, and Error where a spike is to
  /// stop the run or where spikes do not end.
  Outcome run();

  /// Takes the parameters of `best_step` back from `best/`; false, and leaves them, where that holds another step's or
  /// nothing. Collective.
  bool restore_best();

  int64_t steps_done() const { return step_; }
  /// The evaluation whose model `best/` holds, where a metric decides.
  std::optional<int64_t> best_step() const { return best_ ? best_->step() : std::nullopt; }

  /// One optimiser step and nothing else. Collective. A spike's update is not made; where it is to be skipped the step
  /// is done without, else it is not done.
  /// Throws Error naming step, tensor and layer where a loss or gradient is not finite and nothing else is to happen
  /// then, MismatchError naming a rank and its first tensor where parameters differ; they are as before in both cases.
  StepReport step();

 private:
  using Clock = std::chrono::steady_clock;

  Outcome train();
  void accumulate_gradients(StepReport& report);
  void update(StepReport& report);
  void verify_parameters();
  void reduce_counts(std::span<const BatchCounts> counts, StepReport& report);
  void backward_slice(size_t index, std::span<const double> scales, std::span<LossSums> sums);
  Run make_run(Tape* tape, size_t index);
  void reduce_losses(std::span<const LossSums> by_slice, StepReport& report);
  std::string newest_good_checkpoint(int64_t every);
  void restore(const std::string& directory);
  void continue_history();
  void recall_best();
  void recall_spikes();
  bool is_last_step() const;
  bool is_due(TimeBudget::Work work, const StepReport& report) const;
  std::string find_spike(const StepReport& report);
  std::string locate_nonfinite(const StepReport& report);
  void rewind(const StepReport& report);
  void record_rewind();
  void stop_before(const StepReport& report);

  void write_step(const StepReport& report);
  void write(const MetricsLine& line);
  void keep_if_best(const std::vector<std::pair<std::string, double>>& values);
  void evaluate();
  void save_checkpoint();
  double commit_checkpoint();
  SavedMoments saved_moments();
  bool is_writer() const { return communicator_.rank() == 0; }

  const TrainerOptions options_;
  TrainingTask& task_;
  Communicator& communicator_;
  RunEvents events_;
  std::vector<Bucket> buckets_;
  Optimizer optimizer_;
  IndexRange local_slices_;
  std::optional<GradientReducer> reducer_;
  std::optional<SliceTree> tree_;
  std::optional<BestModel> best_;           // where a metric decides
  std::optional<SpikeDetector> spikes_;     // on the rank that writes, where something is to happen at one
  std::optional<Checkpoints> checkpoints_;  // on the rank that writes, after resume
  std::optional<MetricsLog> metrics_;       // likewise
  std::string resumed_configuration_;
  int64_t step_ = 0;      // steps done
  int64_t batches_ = 0;   // consumed; more than steps where some were left behind
  int64_t rewinds_ = 0;   // since the newest checkpoint
  int64_t tokens_ = 0;    // trained on so far
  bool started_ = false;  // the task knows where to go on from
  bool has_checkpoint_ = false;
  Clock::time_point start_ = Clock::now();
  double budget_used_ = 0;            // by earlier starts, in seconds
  std::optional<TimeBudget> budget_;  // while `run` runs
};

}  // namespace bertha
