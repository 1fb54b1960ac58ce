#include "train/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <limits>

#include "autograd/kernels/isa.h"
#include "tests/temporary_directory.h"
#include "tests/train/planted_task.h"
#include "tests/train/run_files.h"
#include "tests/train/small_task.h"
#include "train/comm/self_communicator.h"
#include "train/comm/thread_communicator.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

const RunEvents kSilent = {.note = [](const std::string&) {}, .metrics = [](const MetricsLine&, int64_t) {}};

TrainerOptions options(Reduction reduction, int64_t steps) {
  TrainerOptions o;
  o.steps = steps;
  o.global_batch_size = 10;
  o.schedule = {ScheduleKind::kLinear, 1e-2, 3, steps};
  o.reduction = reduction;
  o.evaluate_every = 4;
  o.checkpoint_every = 5;
  o.peak_flops = 1e9;
  return o;
}

class TrainerTest : public ::testing::Test {
 protected:
  // Trains `steps` steps in memory on `ranks` ranks; every rank's values and rank 0's losses.
  struct Result {
    std::vector<std::vector<float>> values;
    std::vector<double> losses;
  };
  static Result train(int ranks, Reduction reduction, int64_t steps, Sharding sharding = Sharding::kOff,
                      OptimizerKind optimizer = OptimizerKind::kAdamW) {
    Result result;
    result.values.resize(static_cast<size_t>(ranks));
    run_as_ranks(ranks, [&](Communicator& communicator) {
      SmallTask task(MicroSlices(10, 2));
      TrainerOptions o = options(reduction, steps);
      o.sharding = sharding;
      o.optimizer.kind = optimizer;
      Trainer trainer(o, *task, communicator, kSilent);
      for (int64_t step = 0; step < steps; ++step) {
        const StepReport report = trainer.step();
        if (communicator.rank() == 0) result.losses.push_back(report.loss());
      }
      const auto values = task.model().parameters().values();
      result.values[static_cast<size_t>(communicator.rank())].assign(values.begin(), values.end());
    });
    return result;
  }

  TemporaryDirectory folder_;
  fs::path directory_ = folder_.path();
};

TEST_F(TrainerTest, LearnsTheSmallTask) {
  const Result result = train(1, Reduction::kAfterBackward, 250);
  EXPECT_LT(result.losses.back(), 0.7 * result.losses.front());
}

TEST_F(TrainerTest, DeterministicModeGivesTheSameBitsOnAnyNumberOfRanks) {
  const Result one = train(1, Reduction::kDeterministic, 12);
  for (const int ranks : {2, 3, 4, 5}) {
    const Result many = train(ranks, Reduction::kDeterministic, 12);
    EXPECT_EQ(many.losses, one.losses) << ranks;
    for (const auto& values : many.values) EXPECT_EQ(values, one.values[0]) << ranks;
  }
}

TEST_F(TrainerTest, RanksOverlapAndAccumulationOnlyRoundDifferently) {
  const Result reference = train(1, Reduction::kDeterministic, 12);
  for (const Reduction reduction : {Reduction::kAfterBackward, Reduction::kOverlapped}) {
    for (const int ranks : {1, 2, 4}) {
      const Result result = train(ranks, reduction, 12);
      for (size_t step = 0; step < reference.losses.size(); ++step) {
        EXPECT_NEAR(result.losses[step], reference.losses[step], 1e-4) << ranks << " ranks, step " << step;
      }
      for (const auto& values : result.values) EXPECT_EQ(values, result.values[0]);
    }
  }
}

TEST_F(TrainerTest, OverlapDoesNotChangeTheBits) {
  EXPECT_EQ(train(3, Reduction::kOverlapped, 8).values, train(3, Reduction::kAfterBackward, 8).values);
}

TEST_F(TrainerTest, AShardedOptimizerDoesNotChangeTheBits) {
  for (const OptimizerKind optimizer : {OptimizerKind::kAdamW, OptimizerKind::kLamb}) {
    const Result one = train(1, Reduction::kDeterministic, 8, Sharding::kOff, optimizer);
    for (const int ranks : {1, 2, 3, 5}) {
      const Result many = train(ranks, Reduction::kDeterministic, 8, Sharding::kOn, optimizer);
      EXPECT_EQ(many.losses, one.losses) << ranks;
      for (const auto& values : many.values) EXPECT_EQ(values, one.values[0]) << ranks;
    }
    for (const Reduction reduction : {Reduction::kAfterBackward, Reduction::kOverlapped}) {
      EXPECT_EQ(train(3, reduction, 8, Sharding::kOn, optimizer).values,
                train(3, reduction, 8, Sharding::kOff, optimizer).values);
    }
  }
}

TEST_F(TrainerTest, ResumesOnOtherRanksWithAndWithoutShardingFromTheSameFiles) {
  struct Start {
    int ranks;
    Sharding sharding;
  };
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (dtype == DType::bf16 && !kernels::has_bf16()) continue;
    const auto run = [&](const fs::path& output, const Start& start, int64_t steps) {
      run_as_ranks(start.ranks, [&](Communicator& communicator) {
        TrainerOptions o = options(Reduction::kDeterministic, 6);
        o.dtype = dtype;
        o.steps = steps;
        o.checkpoint_every = 3;
        o.output = output;
        o.sharding = start.sharding;
        SmallTask task(MicroSlices(10, 2));
        Trainer trainer(o, *task, communicator, kSilent);
        trainer.resume();
        trainer.run();
      });
    };
    constexpr Start kAlone{1, Sharding::kOff};
    const fs::path alone = directory_ / "alone", shared = directory_ / "shared";
    fs::remove_all(alone);
    run(alone, kAlone, 3);
    run(alone, kAlone, 6);
    for (const Start& first : {kAlone, Start{2, Sharding::kOn}, Start{4, Sharding::kOff}, Start{5, Sharding::kOn}}) {
      for (const Start& second : {kAlone, Start{3, Sharding::kOff}, Start{3, Sharding::kOn}, Start{4, Sharding::kOn}}) {
        fs::remove_all(shared);
        run(shared, first, 3);
        EXPECT_EQ(state_of(shared, 3), state_of(alone, 3)) << first.ranks << " ranks";
        run(shared, second, 6);
        EXPECT_EQ(state_of(shared, 6), state_of(alone, 6)) << first.ranks << ", then " << second.ranks;
      }
    }
  }
}

// The sentence that the next step fails with.
std::string failure_of(TrainingTask& task, Communicator& communicator, const TrainerOptions& o) {
  Trainer trainer(o, task, communicator, kSilent);
  try {
    trainer.step();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// Its losses and activations are finite, the gradients of its last micro-slice are not: in those of the head, which
// backward comes to first, and in all that follow.
TEST_F(TrainerTest, NamesTheFirstGradientThatIsNotFiniteAndItsRank) {
  const auto overflow = [](int64_t, int64_t slice) { return PlantedTask::Factors{1, slice == 4 ? 1e45 : 1}; };
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (dtype == DType::bf16 && !kernels::has_bf16()) continue;
    for (const bool recompute : {false, true}) {
      const auto sentence = [&](Communicator& communicator, Sharding sharding) {
        SmallTask small(MicroSlices(10, 2));
        PlantedTask task(*small, overflow);
        TrainerOptions o = options(Reduction::kDeterministic, 5);
        o.dtype = dtype;
        o.recompute = recompute;
        o.sharding = sharding;
        return failure_of(task, communicator, o);
      };
      SelfCommunicator self;
      const std::string alone = sentence(self, Sharding::kOff);
      const std::string first = "first not finite: the gradient of 'cls.predictions.";
      EXPECT_NE(alone.find(first), std::string::npos) << alone;
      run_as_ranks(3, [&](Communicator& communicator) {
        std::string expected = alone;
        expected.insert(expected.find(" (the last"), " on rank 2");
        EXPECT_EQ(sentence(communicator, Sharding::kOn), expected);
        EXPECT_EQ(sentence(communicator, Sharding::kOff), expected);
      });
    }
  }
}

TEST_F(TrainerTest, NamesALossThatIsNotFinite) {
  SelfCommunicator self;
  SmallTask task(MicroSlices(10, 5), 1, Head::kMlmAndNextSentence);
  PlantedTask planted(*task, [](int64_t, int64_t slice) { return PlantedTask::Factors{slice == 1 ? INFINITY : 1, 1}; });
  const std::string sentence = failure_of(planted, self, options(Reduction::kAfterBackward, 5));
  EXPECT_NE(sentence.find("step 1: loss inf"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("first not finite: the loss 'mlm'"), std::string::npos) << sentence;
}

TEST_F(TrainerTest, NamesTheRankWhoseParameterIsNotFinite) {
  run_as_ranks(3, [&](Communicator& communicator) {
    SmallTask task(MicroSlices(10, 2));
    const PublishedTensor& tensor = task.model().parameters().published().front();
    float& value = task.model().parameters().values()[static_cast<size_t>(tensor.offset)];
    if (communicator.rank() == 1) value = std::numeric_limits<float>::infinity();
    const std::string sentence = failure_of(*task, communicator, options(Reduction::kOverlapped, 5));
    EXPECT_NE(sentence.find("the parameter '" + tensor.name + "' on rank 1"), std::string::npos) << sentence;
  });
}

TEST_F(TrainerTest, WritesTrainEvaluationAndCheckpointLines) {
  SelfCommunicator self;
  TrainerOptions o = options(Reduction::kAfterBackward, 9);
  o.output = directory_;
  SmallTask task(MicroSlices(10, 5));
  Trainer trainer(o, *task, self, kSilent);
  trainer.resume();
  trainer.run();
  const auto train = metrics_of(directory_, "train");
  ASSERT_EQ(train.size(), 9);
  for (size_t i = 0; i < train.size(); ++i) EXPECT_EQ(train[i]["step"], i + 1);
  for (const char* key : {"tokens", "loss", "mlm_loss", "mlm_accuracy", "learning_rate", "grad_norm", "tokens_per_s",
                          "mfu", "communication_share", "peak_rss_mib", "elapsed_s"}) {
    EXPECT_TRUE(train[0].contains(key)) << key;
  }
  EXPECT_EQ(metrics_of(directory_, "evaluation").size(), 3);  // steps 4, 8 and the last
  EXPECT_TRUE(metrics_of(directory_, "evaluation")[0].contains("perplexity"));
  EXPECT_EQ(metrics_of(directory_, "checkpoint").size(), 2);
}

TEST_F(TrainerTest, ASignalSavesAndStops) {
  SelfCommunicator self;
  TrainerOptions o = options(Reduction::kAfterBackward, 50);
  o.output = directory_;
  SmallTask task(MicroSlices(10, 5));
  RunEvents events = kSilent;
  events.metrics = [](const MetricsLine& line, int64_t) {
    if (line.phase == "train" && line.step == 2) std::raise(SIGUSR1);
  };
  Trainer trainer(o, *task, self, events);
  trainer.resume();
  EXPECT_EQ(trainer.run(), Trainer::Outcome::kStopped);
  SmallTask again(MicroSlices(10, 5));
  Trainer next(o, *again, self, kSilent);
  EXPECT_EQ(next.resume(), 3);
}

// A second, of which every look at the clock takes six milliseconds.
TrainerOptions a_second(const std::string& output) {
  TrainerOptions o = options(Reduction::kOverlapped, 0);
  o.time_budget = std::chrono::seconds(1);
  o.schedule = {ScheduleKind::kLinear, 1e-2, std::nullopt, 0};
  o.output = output;
  o.evaluate_every = o.checkpoint_every = 1'000'000;
  o.budget_clock = [now = 0.0]() mutable { return now += 6e-3; };
  return o;
}

TEST_F(TrainerTest, ATimeBudgetEndsAllRanksWithTheSameStep) {
  std::vector<int64_t> steps(3);
  std::vector<std::vector<float>> values(3);
  run_as_ranks(3, [&](Communicator& communicator) {
    TrainerOptions o = a_second(directory_);
    const int rank = communicator.rank();
    if (rank > 0) o.budget_clock = [rank, now = 0.0]() mutable { return now += rank; };  // nobody goes by these
    SmallTask task(MicroSlices(10, 2));
    Trainer trainer(o, *task, communicator, kSilent);
    trainer.resume();
    EXPECT_EQ(trainer.run(), Trainer::Outcome::kFinished);
    const auto trained = task.model().parameters().values();
    steps[static_cast<size_t>(rank)] = trainer.steps_done();
    values[static_cast<size_t>(rank)].assign(trained.begin(), trained.end());
  });
  EXPECT_GT(steps[0], 20);
  for (size_t rank = 1; rank < 3; ++rank) {
    EXPECT_EQ(steps[rank], steps[0]);
    EXPECT_EQ(values[rank], values[0]);
  }
}

TEST_F(TrainerTest, TheScheduleFitsATimeBudget) {
  SelfCommunicator self;
  SmallTask task(MicroSlices(10, 5));
  Trainer trainer(a_second(directory_), *task, self, kSilent);
  trainer.resume();
  trainer.run();
  const auto lines = metrics_of(directory_, "train");
  ASSERT_EQ(lines.size(), static_cast<size_t>(trainer.steps_done()));
  for (const auto& line : lines) {
    const double share = line["budget_share"];
    EXPECT_DOUBLE_EQ(line["learning_rate"], 1e-2 * (share < 0.1 ? share / 0.1 : (1 - share) / 0.9));
  }
  EXPECT_GT(lines.back()["budget_share"], 0.95);
  EXPECT_EQ(metrics_of(directory_, "evaluation").size(), 2) << "a trial after a tenth, and the last";
  EXPECT_EQ(metrics_of(directory_, "checkpoint").size(), 2);
}

TEST_F(TrainerTest, AResumedTimeBudgetContinuesWithTheRest) {
  SelfCommunicator self;
  const auto run = [&](const TrainerOptions& o, const RunEvents& events) {
    SmallTask task(MicroSlices(10, 5));
    Trainer trainer(o, *task, self, events);
    const int64_t first = trainer.resume();
    const Trainer::Outcome outcome = trainer.run();
    return std::pair(outcome, trainer.steps_done() - first);
  };
  RunEvents stop_after_20 = kSilent;
  stop_after_20.metrics = [](const MetricsLine& line, int64_t) {
    if (line.phase == "train" && line.step == 20) std::raise(SIGUSR1);
  };
  const auto first = run(a_second(directory_), stop_after_20);
  EXPECT_EQ(first, std::pair(Trainer::Outcome::kStopped, int64_t{21}));
  const auto second = run(a_second(directory_), kSilent);
  EXPECT_EQ(second.first, Trainer::Outcome::kFinished);
  const auto whole = run(a_second(directory_ / "whole"), kSilent);
  EXPECT_NEAR(static_cast<double>(first.second + second.second), static_cast<double>(whole.second), 3);
  EXPECT_EQ(run(a_second(directory_), kSilent), std::pair(Trainer::Outcome::kFinished, int64_t{0})) << "all is used";
  TrainerOptions longer = a_second(directory_);
  longer.time_budget = std::chrono::seconds(2);
  EXPECT_NEAR(static_cast<double>(run(longer, kSilent).second), static_cast<double>(whole.second), 3);
}

TEST_F(TrainerTest, NamesTheFirstLayerThatIsNotFiniteInEachPrecision) {
  SelfCommunicator self;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (dtype == DType::bf16 && !kernels::has_bf16()) continue;
    SmallTask task(MicroSlices(10, 5));
    for (const PublishedTensor& tensor : task.model().parameters().published()) {
      // Finite, but more than one times it is not.
      if (tensor.name == "bert.encoder.layer.1.attention.output.LayerNorm.weight") {
        task.model().parameters().values()[static_cast<size_t>(tensor.offset)] = std::numeric_limits<float>::max();
      }
    }
    TrainerOptions o = options(Reduction::kAfterBackward, 5);
    o.dtype = dtype;
    for (const bool recompute : {false, true}) {
      o.recompute = recompute;
      const std::string sentence = failure_of(*task, self, o);
      EXPECT_NE(sentence.find("step 1:"), std::string::npos) << sentence;
      EXPECT_NE(sentence.find("first not finite: the output of 'bert.encoder.layer.1.attention'"), std::string::npos)
          << sentence;
    }
  }
}

TEST_F(TrainerTest, NamesAParameterThatIsNotFinite) {
  SelfCommunicator self;
  SmallTask task(MicroSlices(10, 5));
  const PublishedTensor& tensor = task.model().parameters().published().back();
  task.model().parameters().values()[static_cast<size_t>(tensor.offset)] = std::numeric_limits<float>::quiet_NaN();
  const std::string sentence = failure_of(*task, self, options(Reduction::kAfterBackward, 5));
  EXPECT_NE(sentence.find("the parameter '" + tensor.name + "'"), std::string::npos) << sentence;
}

TEST_F(TrainerTest, RefusesACheckpointOfAnotherSeed) {
  SelfCommunicator self;
  TrainerOptions o = options(Reduction::kAfterBackward, 5);
  o.output = directory_;
  SmallTask first(MicroSlices(10, 5), 1);
  Trainer trainer(o, *first, self, kSilent);
  trainer.resume();
  trainer.run();
  SmallTask second(MicroSlices(10, 5), 2);
  Trainer other(o, *second, self, kSilent);
  EXPECT_THROW(other.resume(), MismatchError);
}

TEST_F(TrainerTest, MoreRanksThanMicroSlicesIsAnError) {
  EXPECT_THROW(train(6, Reduction::kAfterBackward, 1), ConfigError);
}

}  // namespace
}  // namespace bertha
