#include "train/comm/communicator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "autograd/core/error.h"
#include "tests/train/mpirun.h"
#include "train/comm/failure_watch.h"
#include "train/comm/self_communicator.h"
#include "train/comm/thread_communicator.h"

namespace bertha {
namespace {

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void expect_right_sums(Communicator& communicator) {
  const int ranks = communicator.size();
  std::vector<double> doubles(1, communicator.rank() + 0.5);
  std::vector<int64_t> integers{communicator.rank(), int64_t{1} << 40};
  communicator.all_reduce_sum(std::span(doubles));
  communicator.all_reduce_sum(std::span(integers));
  EXPECT_EQ(doubles[0], ranks * ranks / 2.0);
  EXPECT_EQ(integers, (std::vector<int64_t>{ranks * (ranks - 1) / 2, ranks * (int64_t{1} << 40)}));
}

// Shares of growing size, the first of them empty, that leave out one element on either side.
std::vector<int64_t> growing_bounds(int ranks, int64_t unit) {
  std::vector<int64_t> bounds{1};
  for (int rank = 0; rank < ranks; ++rank) bounds.push_back(bounds.back() + rank * unit);
  return bounds;
}

// So far apart that every other order of summation gives other bits.
float addend(int rank, int64_t i) {
  return std::ldexp(static_cast<float>(i % 1000 + 1) / 3, 12 * rank % 30);
}

void expect_right_shares(Communicator& communicator, int64_t unit) {
  const int rank = communicator.rank();
  const std::vector<int64_t> bounds = growing_bounds(communicator.size(), unit);
  std::vector<float> values, sum;
  for (int64_t i = 0; i <= bounds.back(); ++i) {
    values.push_back(addend(rank, i));
    sum.push_back(addend(0, i));
    for (int other = 1; other < communicator.size(); ++other) sum.back() += addend(other, i);
  }
  sum.front() = values.front();
  sum.back() = values.back();
  communicator.reduce_scatter_sum(values, bounds);
  EXPECT_TRUE(std::equal(values.begin() + bounds[rank], values.begin() + bounds[rank + 1], sum.begin() + bounds[rank]));
  communicator.all_gather_shares(values, bounds);
  EXPECT_EQ(values, sum) << "shares grow by " << unit;
}

void expect_right_copies(Communicator& communicator) {
  for (int root = 0; root < communicator.size(); ++root) {
    std::vector<int> data(5, communicator.rank());
    communicator.broadcast(std::as_writable_bytes(std::span(data)), root);
    EXPECT_EQ(data, std::vector<int>(5, root));
  }
  const auto texts = communicator.all_gather(std::string(communicator.rank(), 'x'));
  ASSERT_EQ(texts.size(), static_cast<size_t>(communicator.size()));
  for (int rank = 0; rank < communicator.size(); ++rank) EXPECT_EQ(texts[rank], std::string(rank, 'x'));
}

// Every rank hands its number to the one before it.
void expect_right_messages(Communicator& communicator) {
  const int rank = communicator.rank();
  const std::vector<float> sent{static_cast<float>(rank), 0.25f};
  std::vector<float> received(2);
  if (rank > 0) communicator.send(sent, rank - 1);
  if (rank + 1 < communicator.size()) {
    communicator.receive(received, rank + 1);
    EXPECT_EQ(received, (std::vector<float>{static_cast<float>(rank + 1), 0.25f}));
  }
  communicator.barrier();
}

void expect_right_exchanges(Communicator& communicator) {
  expect_right_sums(communicator);
  for (const int64_t unit : {0, 1, 7, 20000}) expect_right_shares(communicator, unit);
  expect_right_copies(communicator);
  expect_right_messages(communicator);
}

TEST(SelfCommunicator, ExchangesWithNobody) {
  SelfCommunicator communicator;
  expect_right_exchanges(communicator);
  std::vector<float> values(2);
  EXPECT_THROW(communicator.send(values, 0), Error);
  EXPECT_THROW(communicator.receive(values, 0), Error);
}

TEST(ThreadCommunicator, ExchangesBetweenAllRanks) {
  for (const int ranks : {1, 2, 3, 5}) run_as_ranks(ranks, expect_right_exchanges);
}

TEST(ThreadCommunicator, AFailingRankEndsTheWaitingOnes) {
  const auto body = [](Communicator& communicator) {
    check<MismatchError>(communicator.rank() != 2, "rank 2 differs");
    communicator.barrier();
  };
  EXPECT_THROW(run_as_ranks(3, body), MismatchError);
}

TEST(ThreadCommunicator, AMessageOfAnotherLengthIsAnError) {
  EXPECT_THROW(run_as_ranks(2,
                            [](Communicator& communicator) {
                              std::vector<float> values(3 + communicator.rank());
                              if (communicator.rank() == 0) return communicator.send(values, 1);
                              communicator.receive(values, 0);
                            }),
               Error);
}

TEST(MpiCommunicator, ExchangesBetweenProcesses) {
  if (!under_mpirun()) return expect_success_under_mpirun(3);
  const auto communicator = make_communicator();
  EXPECT_EQ(communicator->size(), 3);
  expect_right_exchanges(*communicator);
  std::vector<float> values(1);
  EXPECT_THROW(communicator->send(values, 99), Error);
}

TEST(MpiCommunicator, FindsTheRanksOfALauncherThatOnlySpeaksPmix) {
  if (!under_mpirun()) return expect_success_under_mpirun(2);
  unsetenv("OMPI_COMM_WORLD_SIZE");
  unsetenv("OMPI_COMM_WORLD_RANK");
  EXPECT_EQ(make_communicator()->size(), 2);
}

TEST(MakeCommunicator, RefusesToBeOneOfSeveralThatDoNotKnowEachOther) {
  setenv("SLURM_STEP_NUM_TASKS", "2", 1);
  EXPECT_THROW(make_communicator(), ConfigError);
  setenv("SLURM_STEP_NUM_TASKS", "1", 1);
  EXPECT_EQ(make_communicator()->size(), 1);
  unsetenv("SLURM_STEP_NUM_TASKS");
}

TEST(MpiCommunicator, SplitsWhatIsTooLongForOneCall) {
  if (!under_mpirun()) return expect_success_under_mpirun(2);
  const auto communicator = make_communicator();
  expect_right_shares(*communicator, 700'000);
  std::vector<int64_t> integers((size_t{1} << 24) + 3);
  std::iota(integers.begin(), integers.end(), 0);
  communicator->all_reduce_sum(std::span(integers));
  EXPECT_EQ(integers[5], 10);
  EXPECT_EQ(integers[1 << 24], 2 << 24);
  std::vector<float> values((size_t{1} << 24) + 3);
  values.back() = static_cast<float>(communicator->rank());
  communicator->broadcast(std::as_writable_bytes(std::span(values)), 1);
  EXPECT_EQ(values.back(), 1);
  if (communicator->rank() == 0) {
    values.back() = 7;
    communicator->send(values, 1);
  } else {
    communicator->receive(values, 0);
    EXPECT_EQ(values.back(), 7);
  }
}

void print(const std::string& sentence) {
  std::fprintf(stderr, "bertha: %s\n", sentence.c_str());
}

// What main does with the error of a command.
[[noreturn]] void report(const Error& error) {
  say_failures_by(print);
  std::_Exit(end_with_failure(error));
}

TEST(MpiCommunicator, AFailingRankEndsAllWithItsExitCodeAndOneMessage) {
  if (!under_mpirun()) {
    const MpirunOutcome outcome = rerun_under_mpirun(2);
    EXPECT_EQ(outcome.exit_code, 4) << outcome.output;
    EXPECT_EQ(occurrences(outcome.output, "bertha: rank 1 of 2: the sum differs at step 0 in load"), 1)
        << outcome.output;
    return;
  }
  try {
    const auto communicator = make_communicator();
    check<MismatchError>(communicator->rank() != 1, "the sum differs");
    communicator->barrier();
  } catch (const MismatchError& error) {
    report(error);
  }
}

TEST(MpiCommunicator, AFailingRankWhoseStackWaitsForOthersEndsAllBeforeIt) {
  if (!under_mpirun()) {
    const auto begin = std::chrono::steady_clock::now();
    const MpirunOutcome outcome = rerun_under_mpirun(2);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_EQ(outcome.exit_code, 4) << outcome.output;
    EXPECT_EQ(occurrences(outcome.output, "bertha: rank 1 of 2: the sum differs at step 0 in load"), 1)
        << outcome.output;
    return;
  }
  say_failures_by(print);
  const auto communicator = make_communicator();
  if (communicator->rank() == 1) {
    announce_failure(MismatchError("the sum differs"));
    std::this_thread::sleep_for(std::chrono::seconds(30));
  }
  communicator->barrier();
}

TEST(MpiCommunicator, WhatFailsOnEveryRankIsOneMessage) {
  if (!under_mpirun()) {
    const MpirunOutcome outcome = rerun_under_mpirun(2);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    EXPECT_EQ(occurrences(outcome.output, "bertha: unknown key"), 1) << outcome.output;
    return;
  }
  report(ConfigError("unknown key"));
}

TEST(MpiCommunicator, WhatFailsOnEveryConnectedRankIsOneMessage) {
  if (!under_mpirun()) {
    const MpirunOutcome outcome = rerun_under_mpirun(2);
    EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
    EXPECT_EQ(occurrences(outcome.output, "bertha: loss is nan"), 1) << outcome.output;
    return;
  }
  const auto communicator = make_communicator();
  communicator->barrier();
  report(Error("loss is nan"));
}

}  // namespace
}  // namespace bertha
