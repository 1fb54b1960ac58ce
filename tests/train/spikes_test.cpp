// What a trainer does at a step whose loss or gradient is far off.

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <numeric>

#include "autograd/kernels/isa.h"
#include "tests/temporary_directory.h"
#include "tests/train/planted_task.h"
#include "tests/train/run_files.h"
#include "tests/train/small_task.h"
#include "train/comm/self_communicator.h"
#include "train/comm/thread_communicator.h"
#include "train/trainer.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Factors = PlantedTask::Factors;

constexpr int64_t kSteps = 20;
constexpr int64_t kBad = 12;  // the batch that spikes
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const PlantedTask::Planted kNothing = [](int64_t, int64_t) { return Factors{}; };

PlantedTask::Planted spike(Factors factors, int64_t first = kBad, int64_t last = kBad) {
  return [=](int64_t batch, int64_t) { return batch >= first && batch <= last ? factors : Factors{}; };
}

TrainerOptions options(SpikeAction action, const std::string& output) {
  TrainerOptions o;
  o.steps = kSteps;
  o.global_batch_size = 10;
  o.schedule = {ScheduleKind::kLinear, 1e-3, 3, kSteps};
  o.reduction = Reduction::kDeterministic;
  o.evaluate_every = 4;
  o.checkpoint_every = 5;
  o.keep_checkpoints = 100;
  o.output = output;
  o.peak_flops = 1e9;
  o.spikes = {action, 50, 8};
  return o;
}

class SpikesTest : public ::testing::Test {
 protected:
  struct Outcome {
    std::string error;
    std::vector<std::string> notes;
    std::vector<int64_t> batches;

    bool noted(const std::string& part) const {
      return std::ranges::any_of(notes, [&](const auto& note) { return note.find(part) != std::string::npos; });
    }
  };

  // To the end, to an error, or to a signal that comes with `signalled_batch`; of rank 0.
  static Outcome run(const TrainerOptions& o, const PlantedTask::Planted& planted, int ranks = 1,
                     int64_t signalled_batch = -1) {
    Outcome outcome;
    std::vector<std::string> errors(static_cast<size_t>(ranks));
    run_as_ranks(ranks, [&](Communicator& communicator) {
      const bool reports = communicator.rank() == 0;
      SmallTask small(MicroSlices(10, 2));
      PlantedTask task(*small, [&](int64_t batch, int64_t slice) {
        if (batch == signalled_batch && slice == 0) std::raise(SIGUSR1);
        return planted(batch, slice);
      });
      RunEvents events{[&](const std::string& note) { outcome.notes.push_back(note); },
                       [](const MetricsLine&, int64_t) {}};
      Trainer trainer(o, task, communicator, events);
      trainer.resume();
      try {
        trainer.run();
      } catch (const Error& error) {
        errors[static_cast<size_t>(communicator.rank())] = error.what();
      }
      if (reports) outcome.batches = task.batches();
    });
    for (const std::string& error : errors) EXPECT_EQ(error, errors.front()) << "ranks decide alike";
    outcome.error = errors.front();
    return outcome;
  }

  static std::vector<int64_t> steps_skipped(const std::string& output) {
    std::vector<int64_t> steps;
    for (const auto& line : metrics_of(output, "train")) {
      if (line.contains("skipped")) steps.push_back(line["step"]);
    }
    return steps;
  }

  static void expect_every_step_once(const std::string& output) {
    const auto lines = metrics_of(output, "train");
    ASSERT_EQ(lines.size(), static_cast<size_t>(kSteps));
    for (int64_t i = 0; i < kSteps; ++i) EXPECT_EQ(lines[static_cast<size_t>(i)]["step"], i + 1);
  }

  TemporaryDirectory folder_;
  std::string output_ = folder_ / "run";
};

TEST_F(SpikesTest, WithoutAnActionASpikeIsAStepLikeAnyOther) {
  const Outcome outcome = run(options(SpikeAction::kNone, output_), spike({1e3, 1e3}));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(steps_skipped(output_), std::vector<int64_t>{});
  EXPECT_EQ(outcome.batches.back(), kSteps - 1);
}

TEST_F(SpikesTest, WithoutASpikeTheActionsChangeNothing) {
  run(options(SpikeAction::kNone, output_), kNothing);
  for (const SpikeAction action : {SpikeAction::kSkip, SpikeAction::kRewind, SpikeAction::kStop}) {
    const std::string other = folder_ / "other";
    fs::remove_all(other);
    EXPECT_EQ(run(options(action, other), kNothing).error, "");
    EXPECT_TRUE(state_of(other, kSteps) == state_of(output_, kSteps));
    EXPECT_EQ(results_of(other), results_of(output_));
  }
}

TEST_F(SpikesTest, SkippingLeavesTheUpdateOutAndCountsTheStep) {
  for (const Factors& factors : {Factors{1e3, 1}, Factors{1, 1e3}, Factors{kNan, kNan}, Factors{1, INFINITY}}) {
    fs::remove_all(output_);
    TrainerOptions o = options(SpikeAction::kSkip, output_);
    o.checkpoint_every = 1;
    const Outcome outcome = run(o, spike(factors));
    EXPECT_EQ(outcome.error, "");
    EXPECT_TRUE(outcome.noted("step 13: ")) << factors.loss << ", " << factors.gradient;
    EXPECT_EQ(steps_skipped(output_), std::vector<int64_t>{kBad + 1});
    expect_every_step_once(output_);
    EXPECT_TRUE(weights_of(output_, kBad + 1) == weights_of(output_, kBad));
    EXPECT_FALSE(weights_of(output_, kBad + 2) == weights_of(output_, kBad + 1));
  }
}

TEST_F(SpikesTest, RewindingGoesOnBehindTheSpike) {
  for (const Factors& factors : {Factors{1e3, 1}, Factors{1, 1e3}, Factors{kNan, kNan}}) {
    fs::remove_all(output_);
    const Outcome outcome = run(options(SpikeAction::kRewind, output_), spike(factors));
    EXPECT_EQ(outcome.error, "");
    EXPECT_TRUE(outcome.noted("back to " + checkpoint_of(output_, 10) + ", and on with the samples behind"));
    const auto rewinds = metrics_of(output_, "rewind");
    ASSERT_EQ(rewinds.size(), 1u);
    EXPECT_EQ(rewinds[0]["step"], 10);
    EXPECT_EQ(rewinds[0]["from_step"], kBad + 1);
    std::vector<int64_t> batches(kBad + 1 + kSteps - 10);  // step 11 is done twice, with other batches
    std::iota(batches.begin(), batches.end(), 0);
    EXPECT_EQ(outcome.batches, batches);
    expect_every_step_once(output_);
    EXPECT_EQ(TrainingStateFile(checkpoint_of(output_, kSteps)).state().samples, std::ssize(batches) * 10);
  }
}

// As a run would go whose data begins behind the spike.
TEST_F(SpikesTest, RewindingToTheStartTrainsOnTheOtherBatchesAlone) {
  const Outcome outcome = run(options(SpikeAction::kRewind, output_), spike({kNan, kNan}, 2, 2));
  EXPECT_EQ(outcome.error, "");

  class LaterTask : public PlantedTask {
   public:
    using PlantedTask::PlantedTask;
    void start(int64_t first_batch, IndexRange slices) override { PlantedTask::start(first_batch + 3, slices); }
  };
  SelfCommunicator self;
  SmallTask small(MicroSlices(10, 2));
  LaterTask task(*small, kNothing);
  Trainer trainer(options(SpikeAction::kNone, folder_ / "later"), task, self,
                  {[](const std::string&) {}, [](const MetricsLine&, int64_t) {}});
  trainer.resume();
  trainer.run();
  EXPECT_TRUE(weights_of(output_, kSteps) == weights_of(folder_ / "later", kSteps));
  EXPECT_EQ(results_of(output_), results_of(folder_ / "later"));
}

TEST_F(SpikesTest, StoppingSavesTheStateBeforeTheSpike) {
  for (const Factors& factors : {Factors{1e3, 1}, Factors{1, 1e3}, Factors{kNan, kNan}}) {
    fs::remove_all(output_);
    const Outcome outcome = run(options(SpikeAction::kStop, output_), spike(factors));
    EXPECT_EQ(outcome.error.find("step 13: "), 0U) << outcome.error;
    EXPECT_NE(outcome.error.find("; stopped before its update, saved in " + output_), std::string::npos);
    EXPECT_EQ(metrics_of(output_, "train").size(), static_cast<size_t>(kBad));
    const Outcome again = run(options(SpikeAction::kStop, output_), spike(factors));
    EXPECT_EQ(again.error, outcome.error) << "the same data, the same judgement";
    EXPECT_EQ(again.batches, std::vector<int64_t>{kBad});
    EXPECT_EQ(run(options(SpikeAction::kSkip, output_), spike(factors)).error, "");
    expect_every_step_once(output_);
    EXPECT_EQ(steps_skipped(output_), std::vector<int64_t>{kBad + 1});
  }
}

TEST_F(SpikesTest, AnyNumberOfRanksDecidesAlike) {
  for (const SpikeAction action : {SpikeAction::kSkip, SpikeAction::kRewind}) {
    const std::string alone = folder_ / "alone";
    fs::remove_all(alone);
    run(options(action, alone), spike({1, 1e3}));
    for (const int ranks : {2, 3}) {
      for (const Sharding sharding : {Sharding::kOff, Sharding::kOn}) {
        fs::remove_all(output_);
        TrainerOptions o = options(action, output_);
        o.sharding = sharding;
        run(o, spike({1, 1e3}), ranks);
        EXPECT_TRUE(state_of(output_, kSteps) == state_of(alone, kSteps)) << ranks << " ranks";
        EXPECT_EQ(results_of(output_), results_of(alone)) << ranks << " ranks";
      }
    }
  }
}

TEST_F(SpikesTest, AResumedRunDecidesAsOneThatWasNeverStopped) {
  for (const SpikeAction action : {SpikeAction::kSkip, SpikeAction::kRewind}) {
    const std::string whole = folder_ / "whole";
    fs::remove_all(whole);
    const Outcome uninterrupted = run(options(action, whole), spike({1e3, 1e3}));
    for (const int64_t batch : uninterrupted.batches) {
      fs::remove_all(output_);
      run(options(action, output_), spike({1e3, 1e3}), 1, batch);
      EXPECT_EQ(run(options(action, output_), spike({1e3, 1e3})).error, "");
      EXPECT_TRUE(state_of(output_, kSteps) == state_of(whole, kSteps)) << "stopped in batch " << batch;
      EXPECT_EQ(results_of(output_), results_of(whole)) << "stopped in batch " << batch;
    }
  }
}

TEST_F(SpikesTest, SkippingWithoutEndIsAnError) {
  const std::string expected = " (after 10 skipped updates in a row)";
  const auto nothing_but_nan = spike({kNan, kNan}, 5, kSteps);
  const Outcome whole = run(options(SpikeAction::kSkip, output_), nothing_but_nan);
  EXPECT_EQ(whole.error.find("step 16: "), 0U) << whole.error;
  EXPECT_NE(whole.error.find(expected), std::string::npos) << whole.error;
  const std::string stopped = folder_ / "stopped";
  EXPECT_EQ(run(options(SpikeAction::kSkip, stopped), nothing_but_nan, 1, 8).error, "");
  EXPECT_EQ(run(options(SpikeAction::kSkip, stopped), nothing_but_nan).error, whole.error);
}

TEST_F(SpikesTest, RewindingWithoutEndIsAnError) {
  const Outcome outcome = run(options(SpikeAction::kRewind, output_), spike({kNan, kNan}, 7, 1000));
  EXPECT_NE(outcome.error.find(" (after 10 rewinds to one checkpoint)"), std::string::npos) << outcome.error;
  EXPECT_EQ(outcome.batches.size(), 7U + 11);
}

TEST_F(SpikesTest, ANumberThatIsNotFiniteIsLocatedUnderEveryAction) {
  for (const SpikeAction action : {SpikeAction::kNone, SpikeAction::kSkip, SpikeAction::kRewind, SpikeAction::kStop}) {
    fs::remove_all(output_);
    const auto on_the_last_rank = [](int64_t batch, int64_t slice) {
      return batch == kBad && slice == 4 ? Factors{1, INFINITY} : Factors{};
    };
    const Outcome outcome = run(options(action, output_), on_the_last_rank, 2);
    const std::string located = "first not finite: the gradient of 'cls.predictions.";
    const bool ends = action == SpikeAction::kNone || action == SpikeAction::kStop;
    EXPECT_EQ(outcome.error.find(located) != std::string::npos, ends) << outcome.error;
    EXPECT_EQ(outcome.noted(located), !ends);
    EXPECT_TRUE(ends ? outcome.error.find("' on rank 1") != std::string::npos : outcome.noted("' on rank 1"));
  }
}

TEST_F(SpikesTest, ACheckpointWhoseSamplesDoNotFitItsStepsIsRefused) {
  SelfCommunicator self;
  SmallTask task(MicroSlices(10, 2));
  const RunEvents silent{[](const std::string&) {}, [](const MetricsLine&, int64_t) {}};
  const Checkpoints checkpoints(output_ + "/checkpoints", 3);
  for (const int64_t samples : {45, 40}) {
    checkpoints.save(
        (*task).model_content(),
        {.step = 5, .samples = samples, .optimizer = "adamw", .configuration = "", .identity = (*task).identity()}, {});
    Trainer trainer(options(SpikeAction::kNone, output_), *task, self, silent);
    EXPECT_THROW(trainer.resume(), DamagedFileError) << samples;
  }
}

}  // namespace
}  // namespace bertha
