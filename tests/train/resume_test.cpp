#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "autograd/kernels/isa.h"
#include "tests/temporary_directory.h"
#include "tests/train/planted_task.h"
#include "tests/train/run_files.h"
#include "tests/train/small_task.h"
#include "train/comm/self_communicator.h"
#include "train/stop_signal.h"
#include "train/trainer.h"

namespace bertha {
namespace {

constexpr int64_t kSteps = 15;

struct Kind {
  Head head;
  DType dtype;
  Reduction reduction;
};

class ExactResumeTest : public ::testing::TestWithParam<Kind> {
 protected:
  // Steps of 8 sequences in 3 micro-slices, 50 sequences an epoch, evaluations and checkpoints between: the steps from
  // which a run goes on lie in the warm-up, in the midst of epochs, and on either side of an evaluation.
  static TrainerOptions options(const std::string& output) {
    TrainerOptions o;
    o.dtype = GetParam().dtype;
    o.reduction = GetParam().reduction;
    o.steps = kSteps;
    o.global_batch_size = 8;
    o.schedule = {ScheduleKind::kLinear, 1e-2, 5, kSteps};
    o.evaluate_every = 4;
    o.checkpoint_every = 7;
    o.output = output;
    o.peak_flops = 1e9;
    return o;
  }

  // Runs to the end, or until a signal has stopped it after step `stop`; returns the steps done. The step after the one
  // that a signal comes in is the last, so it comes while the step before computes a micro-slice, or before the first.
  static int64_t run(const std::string& output, int64_t stop = kSteps) {
    SelfCommunicator self;
    SmallTask small(MicroSlices(8, 3), 1, GetParam().head);
    PlantedTask task(*small, [=](int64_t batch, int64_t slice) {
      if (stop < kSteps && batch == stop - 2 && slice == batch % 3) std::raise(SIGUSR1);
      return PlantedTask::Factors{};
    });
    const StopSignals signals;
    Trainer trainer(options(output), task, self, kSilent);
    trainer.resume();
    if (stop == 1) std::raise(SIGUSR1);
    trainer.run();
    return trainer.steps_done();
  }

  // Of a run that dies before its next step.
  static int64_t resumed_step(const std::string& output) {
    SelfCommunicator self;
    SmallTask task(MicroSlices(8, 3), 1, GetParam().head);
    return Trainer(options(output), *task, self, kSilent).resume();
  }

  inline static const RunEvents kSilent = {.note = [](const std::string&) {},
                                           .metrics = [](const MetricsLine&, int64_t) {}};
  TemporaryDirectory folder_;
};

TEST_P(ExactResumeTest, StoppingAtAnyStepChangesNoBit) {
  if (GetParam().dtype == DType::bf16 && !kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const std::string whole = folder_ / "whole";
  ASSERT_EQ(run(whole), kSteps);
  for (int64_t stop = 1; stop < kSteps; ++stop) {
    const std::string stopped = folder_ / ("stopped-" + std::to_string(stop));
    ASSERT_EQ(run(stopped, stop), stop);
    ASSERT_EQ(run(stopped), kSteps);
    EXPECT_TRUE(state_of(stopped, kSteps) == state_of(whole, kSteps)) << "stopped after step " << stop;
    EXPECT_EQ(results_of(stopped), results_of(whole)) << "stopped after step " << stop;
  }
}

TEST_P(ExactResumeTest, StoppingAtEverySecondStepChangesNoBit) {
  if (GetParam().dtype == DType::bf16 && !kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const std::string whole = folder_ / "whole", stopped = folder_ / "stopped";
  ASSERT_EQ(run(whole), kSteps);
  for (int64_t stop = 2; stop < kSteps; stop += 2) ASSERT_EQ(run(stopped, stop), stop);
  ASSERT_EQ(run(stopped), kSteps);
  EXPECT_TRUE(state_of(stopped, kSteps) == state_of(whole, kSteps));
  EXPECT_EQ(results_of(stopped), results_of(whole));
}

TEST_P(ExactResumeTest, FallingBackOnceLosesNothing) {
  if (GetParam().dtype == DType::bf16 && !kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const std::string whole = folder_ / "whole", stopped = folder_ / "stopped";
  ASSERT_EQ(run(whole), kSteps);
  ASSERT_EQ(run(stopped, 9), 9);
  const std::string manifest = stopped + "/checkpoints/step-00000009/MANIFEST.json", hidden = folder_ / "hidden";
  std::filesystem::rename(manifest, hidden);
  ASSERT_EQ(resumed_step(stopped), 7);
  std::filesystem::rename(hidden, manifest);
  EXPECT_EQ(resumed_step(stopped), 7) << "its history ends there";
  ASSERT_EQ(run(stopped), kSteps);
  EXPECT_TRUE(state_of(stopped, kSteps) == state_of(whole, kSteps));
  EXPECT_EQ(results_of(stopped), results_of(whole));
  EXPECT_FALSE(std::filesystem::exists(stopped + "/checkpoints/step-00000009")) << "of a future that was given up";
}

INSTANTIATE_TEST_SUITE_P(Pretraining, ExactResumeTest,
                         ::testing::Values(Kind{Head::kMlm, DType::f32, Reduction::kAfterBackward},
                                           Kind{Head::kMlm, DType::bf16, Reduction::kAfterBackward},
                                           Kind{Head::kMlmAndNextSentence, DType::f32, Reduction::kDeterministic},
                                           Kind{Head::kMlmAndNextSentence, DType::bf16, Reduction::kAfterBackward}));

}  // namespace
}  // namespace bertha
