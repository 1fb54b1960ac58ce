#include "train/rank_agreement.h"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"
#include "tests/train/forwarding_communicator.h"
#include "tests/train/small_task.h"
#include "train/comm/thread_communicator.h"
#include "train/partition.h"
#include "train/trainer.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

/// A rank whose memory flips one bit of what it has gathered: of a step's gradients, or of parameters where the
/// optimiser is sharded.
class FlippingCommunicator : public ForwardingCommunicator {
 public:
  FlippingCommunicator(Communicator& inner, int64_t step, int64_t element)
      : ForwardingCommunicator(inner), step_(step), element_(element) {}

  void all_gather_shares(std::span<float> values, std::span<const int64_t> bounds) override {
    ForwardingCommunicator::all_gather_shares(values, bounds);
    if (++gathered_ != step_) return;
    float& victim = values[static_cast<size_t>(element_)];
    victim = std::bit_cast<float>(std::bit_cast<uint32_t>(victim) ^ (1U << 22));
  }

 private:
  int64_t step_, element_;
  int64_t gathered_ = 0;
};

class BitFlipTest : public ::testing::Test {
 protected:
  static TrainerOptions options(Reduction reduction, Sharding sharding) {
    TrainerOptions o;
    o.steps = 7;
    o.global_batch_size = 10;
    o.schedule = {ScheduleKind::kConstant, 1e-3, 0, 7};
    o.optimizer.clip_grad_norm = 0;  // so that only the flipped element differs
    o.reduction = reduction;
    o.sharding = sharding;
    o.evaluate_every = o.checkpoint_every = 100;
    o.peak_flops = 1e9;
    return o;
  }

  // What rank 0 of three ends with when rank 1 flips a bit in the second step.
  static std::string error_of(const TrainerOptions& o) {
    std::string sentence;
    run_as_ranks(3, [&](Communicator& communicator) {
      SmallTask task(MicroSlices(10, 2));
      FlippingCommunicator flipping(communicator, 2, 0);
      Communicator& own = communicator.rank() == 1 ? flipping : communicator;
      Trainer trainer(o, *task, own, {[](const std::string&) {}, [](const MetricsLine&, int64_t) {}});
      trainer.resume();
      try {
        trainer.run();
      } catch (const MismatchError& error) {
        if (communicator.rank() == 0) sentence = error.what();
      }
    });
    return sentence;
  }

  static std::string sentence_at(int64_t step) {
    SmallTask task(MicroSlices(10, 2));
    const PublishedTensor first = in_block_order(task.model().parameters()).front();
    EXPECT_EQ(first.offset, 0);
    return "rank 1 of 3: parameters differ from rank 0 at step " + std::to_string(step) + " (first: '" + first.name +
           "'); do all ranks run one binary and one config?";
  }

  TemporaryDirectory folder_;
};

TEST_F(BitFlipTest, IsCaughtByThePeriodicChecksum) {
  for (const Reduction reduction : {Reduction::kOverlapped, Reduction::kAfterBackward, Reduction::kDeterministic}) {
    TrainerOptions o = options(reduction, Sharding::kOff);
    o.output = folder_ / "run";
    o.verify_every = 3;
    EXPECT_EQ(error_of(o), sentence_at(3));
    o.verify_every = 5;
    EXPECT_EQ(error_of(o), sentence_at(5)) << "it stays where it is";
  }
}

// What a rank has of others' parameters lives until the next update.
TEST_F(BitFlipTest, IsCaughtWhereTheOptimizerIsSharded) {
  for (const Reduction reduction : {Reduction::kOverlapped, Reduction::kDeterministic}) {
    TrainerOptions o = options(reduction, Sharding::kOn);
    o.output = folder_ / "run";
    o.verify_every = 2;
    EXPECT_EQ(error_of(o), sentence_at(2));
  }
}

TEST_F(BitFlipTest, IsCaughtBeforeACheckpointIsWritten) {
  TrainerOptions o = options(Reduction::kOverlapped, Sharding::kOff);
  o.output = folder_ / "run";
  o.checkpoint_every = 4;
  EXPECT_EQ(error_of(o), sentence_at(4));
  EXPECT_FALSE(fs::exists(folder_ / "run/checkpoints/step-00000004"));
}

}  // namespace
}  // namespace bertha
