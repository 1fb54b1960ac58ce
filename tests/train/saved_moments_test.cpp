#include "train/saved_moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/temporary_directory.h"
#include "train/checkpoint/checkpoint.h"
#include "train/comm/thread_communicator.h"

namespace bertha {
namespace {

// Tensors that begin and end within buckets, and one that lies in several.
struct Model {
  Model() {
    const Scope root(store, "");
    root.weight("large", {1001, 300});
    for (const char* name : {"a", "b", "c"}) root.weight(name, {150, 301});
    root.bias("bias", 3);
    store.allocate();
  }
  std::vector<Bucket> buckets(int ranks) const {
    return cut_into_buckets(store, 60'000 * static_cast<int64_t>(sizeof(float)), ranks);
  }

  ParameterStore store;
};

// What the moments of an element of the flat block are in these tests.
float first_moment(int64_t element) {
  return static_cast<float>(element);
}
float second_moment(int64_t element) {
  return std::sqrt(static_cast<float>(element));
}

template <class F>
void for_each_moment(Optimizer& optimizer, F&& f) {
  size_t place = 0;
  for (const IndexRange share : optimizer.shares()) {
    for (int64_t element = share.begin; element < share.end; ++element, ++place) {
      f(element, optimizer.first_moments()[place], optimizer.second_moments()[place]);
    }
  }
}

void write(const std::string& directory, Communicator& communicator) {
  Model model;
  const std::vector<Bucket> buckets = model.buckets(communicator.size());
  Optimizer optimizer({}, model.store, buckets, communicator);
  for_each_moment(optimizer, [](int64_t element, float& first, float& second) {
    first = first_moment(element);
    second = second_moment(element);
  });
  SavedMoments moments(optimizer, model.store, buckets, communicator);
  if (communicator.rank() == 0) {
    Checkpoints(directory, 1).save({}, {}, moments.to_write());
  } else {
    moments.send();
  }
  communicator.barrier();
}

void expect_moments(const Model& model, Optimizer& optimizer) {
  std::vector<bool> in_tensor(model.store.values().size());
  for (const PublishedTensor& tensor : model.store.published()) {
    std::fill_n(in_tensor.begin() + tensor.offset, tensor.shape.numel(), true);
  }
  int64_t wrong = 0;
  for_each_moment(optimizer, [&](int64_t element, float first, float second) {
    if (!in_tensor[element]) return;
    wrong += first != first_moment(element) || second != second_moment(element);
  });
  EXPECT_EQ(wrong, 0);
}

TEST(SavedMoments, AnyNumberOfRanksReadsWhatAnyOtherWrote) {
  const TemporaryDirectory folder;
  for (const int writers : {1, 2, 5}) {
    const std::string directory = folder / std::to_string(writers);
    run_as_ranks(writers, [&](Communicator& communicator) { write(directory, communicator); });
    const std::string checkpoint = *Checkpoints(directory, 1).newest_good().directory;
    for (const int readers : {1, 3}) {
      run_as_ranks(readers, [&](Communicator& communicator) {
        Model model;
        const std::vector<Bucket> buckets = model.buckets(readers);
        EXPECT_GT(buckets.size(), 4);
        Optimizer shared({}, model.store, buckets, communicator);
        SavedMoments(shared, model.store, buckets, communicator).read(TrainingStateFile(checkpoint));
        expect_moments(model, shared);
        Optimizer whole({}, model.store);
        SavedMoments(whole, model.store, {}, communicator).read(TrainingStateFile(checkpoint));
        expect_moments(model, whole);
      });
    }
  }
}

TEST(SavedMoments, ARankThatHasAllHandsThemOutWhereTheyLie) {
  Model model;
  run_as_ranks(1, [&](Communicator& communicator) {
    Optimizer optimizer({}, model.store);
    SavedMoments saved(optimizer, model.store, {}, communicator);
    const std::vector<Moment> moments = saved.to_write();
    ASSERT_EQ(moments.size(), 2);
    const PublishedTensor& tensor = model.store.published()[1];
    EXPECT_EQ(moments[1].tensors[1].first, tensor.name);
    EXPECT_EQ(moments[1].fetch(1).data(), optimizer.second_moments().data() + tensor.offset);
  });
}

}  // namespace
}  // namespace bertha
