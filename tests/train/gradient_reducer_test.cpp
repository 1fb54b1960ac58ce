#include "train/gradient_reducer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <semaphore>

#include "tests/train/mpirun.h"
#include "train/comm/self_communicator.h"
#include "train/comm/thread_communicator.h"

namespace bertha {
namespace {

// A model of five parameters; the last of the flat block, as a word embedding would, is the largest.
struct Model {
  Model() {
    const Scope root(store, "");
    root.weight("embedding", {40, 8});
    for (const char* name : {"a", "b", "c"}) root.weight(name, {5, 7});
    root.bias("bias", 3);
    store.allocate();
  }
  void fill_gradients(float value) {
    for (const auto& parameter : store.parameters()) {
      for (float& x : parameter->gradient.span<float>()) x = value += 0.1f;
    }
  }
  // In the order of the flat block, which is that of backward.
  std::vector<const Parameter*> backward_order() const {
    std::vector<const Parameter*> order;
    for (const auto& parameter : store.parameters()) order.insert(order.begin(), parameter.get());
    return order;
  }
  std::vector<float> gradients() const { return {store.gradients().begin(), store.gradients().end()}; }

  ParameterStore store;
};

std::vector<Bucket> buckets_of(const Model& model, int ranks) {
  return cut_into_buckets(model.store, 60 * sizeof(float), ranks);
}

std::vector<float> three_steps(Communicator& communicator, Overlap overlap, Sharding sharding = Sharding::kOff) {
  Model model;
  const std::vector<Bucket> buckets = buckets_of(model, communicator.size());
  GradientReducer reducer(communicator, model.store, buckets, overlap, sharding);
  for (int step = 0; step < 3; ++step) {
    model.fill_gradients(static_cast<float>(step + communicator.rank()) / 3);
    for (const Parameter* parameter : model.backward_order()) reducer.ready(*parameter);
    reducer.finish();
  }
  if (sharding == Sharding::kOn) {
    for (const Bucket& bucket : buckets) communicator.all_gather_shares(model.store.gradients(), bucket.bounds);
  }
  return model.gradients();
}

std::vector<float> sum_of_last_step(int ranks) {
  std::vector<float> sum(Model().gradients().size());
  for (int rank = 0; rank < ranks; ++rank) {
    Model model;
    model.fill_gradients(static_cast<float>(2 + rank) / 3);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += model.gradients()[i];
  }
  return sum;
}

TEST(GradientReducer, SumsOverRanksTheSameWithAndWithoutOverlap) {
  const std::vector<float> expected = sum_of_last_step(3);
  run_as_ranks(3, [&](Communicator& communicator) {
    EXPECT_EQ(three_steps(communicator, Overlap::kOff), expected);
    EXPECT_EQ(three_steps(communicator, Overlap::kOn), expected);
  });
}

TEST(GradientReducer, AShardedSumIsCompleteInEveryRanksShares) {
  const std::vector<float> expected = sum_of_last_step(3);
  run_as_ranks(3, [&](Communicator& communicator) {
    EXPECT_EQ(three_steps(communicator, Overlap::kOff, Sharding::kOn), expected);
    EXPECT_EQ(three_steps(communicator, Overlap::kOn, Sharding::kOn), expected);
  });
}

TEST(GradientReducer, SumsOverProcesses) {
  if (!under_mpirun()) return expect_success_under_mpirun(2);
  const auto communicator = make_communicator();
  const std::vector<float> expected = sum_of_last_step(2);
  EXPECT_EQ(three_steps(*communicator, Overlap::kOff), expected);
  EXPECT_EQ(three_steps(*communicator, Overlap::kOn), expected);
}

TEST(GradientReducer, OneRankAloneKeepsItsGradients) {
  SelfCommunicator communicator;
  Model model;
  GradientReducer reducer(communicator, model.store, buckets_of(model, 2), Overlap::kOn, Sharding::kOff);
  model.fill_gradients(1);
  const std::vector<float> before = model.gradients();
  reducer.ready(*model.store.parameters()[0]);
  reducer.finish();
  EXPECT_EQ(model.gradients(), before);
}

// Notes the sizes of what is summed; the sum itself stays away.
class RecordingCommunicator : public SelfCommunicator {
 public:
  int size() const override { return 2; }
  void exchange_shares(std::span<float>, std::span<const int64_t> bounds, const Use&) override {
    sizes.push_back(bounds.back() - bounds.front());
    exchanges.release();
    check<Error>(sizes.size() != fail_at, "the network is gone");
  }

  std::vector<int64_t> sizes;
  std::counting_semaphore<> exchanges{0};
  size_t fail_at = 0;
};

TEST(GradientReducer, ABucketLeavesBeforeBackwardEnds) {
  RecordingCommunicator communicator;
  Model model;
  GradientReducer reducer(communicator, model.store, buckets_of(model, 2), Overlap::kOn, Sharding::kOff);
  const auto order = model.backward_order();
  // bias (16 with its gap) and c (48) are one bucket.
  reducer.ready(*order[0]);
  reducer.ready(*order[1]);
  ASSERT_TRUE(communicator.exchanges.try_acquire_for(std::chrono::seconds(10)));
  reducer.finish();
  EXPECT_EQ(communicator.sizes, (std::vector<int64_t>{64, 96, 320}));
}

TEST(GradientReducer, ABucketWaitsForAllItsParametersAndForEarlierBuckets) {
  RecordingCommunicator communicator;
  Model model;
  GradientReducer reducer(communicator, model.store, buckets_of(model, 2), Overlap::kOn, Sharding::kOff);
  const auto order = model.backward_order();
  for (int step = 0; step < 2; ++step) {
    for (const int early : {0, 2, 3, 4}) reducer.ready(*order[early]);
    EXPECT_FALSE(communicator.exchanges.try_acquire_for(std::chrono::milliseconds(50)));
    reducer.ready(*order[1]);
    for (int bucket = 0; bucket < 3; ++bucket) {
      EXPECT_TRUE(communicator.exchanges.try_acquire_for(std::chrono::seconds(10)));
    }
    reducer.finish();
  }
  EXPECT_EQ(communicator.sizes, (std::vector<int64_t>{64, 96, 320, 64, 96, 320}));
}

TEST(GradientReducer, FinishThrowsWhatAnExchangeThrew) {
  for (const Overlap overlap : {Overlap::kOff, Overlap::kOn}) {
    RecordingCommunicator communicator;
    communicator.fail_at = 2;
    Model model;
    GradientReducer reducer(communicator, model.store, buckets_of(model, 2), overlap, Sharding::kOff);
    EXPECT_THROW(reducer.finish(), Error);
  }
}

TEST(GradientReducer, AParameterIsReadyOnceAStep) {
  RecordingCommunicator communicator;
  Model model;
  GradientReducer reducer(communicator, model.store, buckets_of(model, 2), Overlap::kOn, Sharding::kOff);
  const Parameter& parameter = *model.store.parameters()[0];
  reducer.ready(parameter);
  EXPECT_THROW(reducer.ready(parameter), Error);
  reducer.finish();
  reducer.ready(parameter);
  reducer.finish();
}

}  // namespace
}  // namespace bertha
