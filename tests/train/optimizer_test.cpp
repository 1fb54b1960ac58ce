#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "autograd/core/parallel.h"
#include "autograd/core/random.h"
#include "train/comm/thread_communicator.h"

namespace bertha {
namespace {

constexpr std::array<std::string_view, 3> kStacked{"query", "key", "value"};

// Three stacked matrices of different size of values, a bias, and a matrix of more than one piece of work.
struct Model {
  Model() {
    const Scope root(store, "");
    root.weight("large", {300, 100});
    root.stacked(kStacked, "weight", {4, 5}, Init::kNormal);
    root.bias("bias", 3);
    store.allocate();
    for (const PublishedTensor& tensor : store.published()) {
      const double scale = tensor.name == "query.weight" ? 0.1 : tensor.name == "bias" ? 0 : 2;
      for (float& x : of(tensor, store.values())) x = static_cast<float>(scale * stream.normal());
    }
  }

  static std::span<float> of(const PublishedTensor& tensor, std::span<float> block) {
    return block.subspan(tensor.offset, tensor.shape.numel());
  }
  void draw_gradients() {
    for (const PublishedTensor& tensor : store.published()) {
      for (float& x : of(tensor, store.gradients())) x = static_cast<float>(0.1 * stream.normal());
    }
  }
  std::vector<float> values() const { return {store.values().begin(), store.values().end()}; }

  ParameterStore store;
  RandomStream stream{11, "optimizer test"};
};

double norm(std::span<const double> x) {
  double squares = 0;
  for (const double element : x) squares += element * element;
  return std::sqrt(squares);
}

// Both algorithms written down from the papers, in double, one published tensor at a time.
class Reference {
 public:
  Reference(const OptimizerOptions& options, const ParameterStore& store)
      : o_(options), p_(store.values().begin(), store.values().end()), m_(p_.size()), v_(p_.size()) {}

  void step(double learning_rate, const ParameterStore& store) {
    ++t_;
    std::vector<double> g(store.gradients().begin(), store.gradients().end());
    const double clip = std::min(1.0, o_.clip_grad_norm / (norm(g) + 1e-6));
    for (double& x : g) x *= clip;
    for (const PublishedTensor& tensor : store.published()) update(tensor, learning_rate, g);
  }
  const std::vector<double>& values() const { return p_; }

 private:
  void update(const PublishedTensor& tensor, double learning_rate, const std::vector<double>& g) {
    const double decay = tensor.weight_decay ? o_.weight_decay : 0;
    std::vector<double> u;
    for (int64_t i = tensor.offset; i < tensor.offset + tensor.shape.numel(); ++i) {
      m_[i] = o_.beta1 * m_[i] + (1 - o_.beta1) * g[i];
      v_[i] = o_.beta2 * v_[i] + (1 - o_.beta2) * g[i] * g[i];
      const double m_hat = m_[i] / (1 - std::pow(o_.beta1, t_));
      const double v_hat = v_[i] / (1 - std::pow(o_.beta2, t_));
      u.push_back(m_hat / (std::sqrt(v_hat) + o_.epsilon) + decay * p_[i]);
    }
    const std::span<double> p = std::span(p_).subspan(tensor.offset, u.size());
    double ratio = 1;
    if (o_.kind == OptimizerKind::kLamb && norm(p) > 0 && norm(u) > 0) ratio = norm(p) / norm(u);
    for (size_t i = 0; i < u.size(); ++i) p[i] -= learning_rate * ratio * u[i];
  }

  OptimizerOptions o_;
  int t_ = 0;
  std::vector<double> p_, m_, v_;
};

OptimizerOptions options(OptimizerKind kind) {
  return {.kind = kind, .epsilon = 1e-6, .weight_decay = 0.3, .clip_grad_norm = 0.7};
}

class EachKind : public ::testing::TestWithParam<OptimizerKind> {};
INSTANTIATE_TEST_SUITE_P(Optimizer, EachKind, ::testing::Values(OptimizerKind::kAdamW, OptimizerKind::kLamb));

TEST_P(EachKind, FollowsItsPaper) {
  Model model;
  Reference reference(options(GetParam()), model.store);
  Optimizer optimizer(options(GetParam()), model.store);
  for (int step = 0; step < 6; ++step) {
    const double learning_rate = 0.01 * (step + 1);
    model.draw_gradients();
    reference.step(learning_rate, model.store);
    optimizer.apply(learning_rate, optimizer.gradient_norm());
  }
  EXPECT_EQ(optimizer.steps(), 6);
  const std::vector<float> values = model.values();
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], reference.values()[i], 3e-6) << "element " << i;
}

// What lies outside is no number, so that whoever reads it is found out.
void keep_only(std::span<const IndexRange> shares, std::span<float> block) {
  std::vector<float> kept(block.size(), std::numeric_limits<float>::quiet_NaN());
  for (const auto [begin, end] : shares) std::copy(block.begin() + begin, block.begin() + end, kept.begin() + begin);
  std::ranges::copy(kept, block.begin());
}

std::vector<float> values_after_three_steps(OptimizerKind kind, int threads) {
  const int before = num_threads();
  omp_set_num_threads(threads);
  Model model;
  Optimizer optimizer(options(kind), model.store);
  for (int step = 0; step < 3; ++step) {
    model.draw_gradients();
    optimizer.apply(0.01, optimizer.gradient_norm());
  }
  omp_set_num_threads(before);
  return model.values();
}

TEST_P(EachKind, ThreadsChangeNoBit) {
  EXPECT_EQ(values_after_three_steps(GetParam(), 1), values_after_three_steps(GetParam(), 3));
}

TEST_P(EachKind, RanksThatShareTheWorkHaveTheSameBits) {
  const std::vector<float> alone = values_after_three_steps(GetParam(), 1);
  for (const int ranks : {1, 2, 3, 5}) {
    run_as_ranks(ranks, [&](Communicator& communicator) {
      Model model;
      const std::vector<Bucket> buckets = cut_into_buckets(model.store, 100'000, ranks);
      Optimizer optimizer(options(GetParam()), model.store, buckets, communicator);
      for (int step = 0; step < 3; ++step) {
        model.draw_gradients();
        keep_only(optimizer.shares(), model.store.gradients());
        optimizer.apply(0.01, optimizer.gradient_norm());
        optimizer.gather_values();
      }
      EXPECT_EQ(model.values(), alone) << "rank " << communicator.rank() << " of " << ranks;
    });
  }
}

TEST(Optimizer, RanksShareTheMoments) {
  std::vector<size_t> elements(3);
  Model model;
  run_as_ranks(3, [&](Communicator& communicator) {
    Model own;
    const std::vector<Bucket> buckets = cut_into_buckets(own.store, 100'000, 3);
    Optimizer optimizer({}, own.store, buckets, communicator);
    elements[communicator.rank()] = optimizer.first_moments().size();
    EXPECT_EQ(optimizer.second_moments().size(), optimizer.first_moments().size());
  });
  EXPECT_EQ(elements[0] + elements[1] + elements[2], model.store.values().size());
  EXPECT_LT(std::ranges::max(elements), model.store.values().size());
}

TEST_P(EachKind, ContinuesFromSavedMomentsWithTheSameBits) {
  Model straight, resumed;
  Optimizer one(options(GetParam()), straight.store);
  {
    Optimizer before(options(GetParam()), resumed.store);
    Optimizer after(options(GetParam()), resumed.store);
    for (int step = 0; step < 4; ++step) {
      straight.draw_gradients();
      resumed.draw_gradients();
      one.apply(0.02, one.gradient_norm());
      Optimizer& current = step < 2 ? before : after;
      current.apply(0.02, current.gradient_norm());
      if (step != 1) continue;
      std::ranges::copy(before.first_moments(), after.first_moments().begin());
      std::ranges::copy(before.second_moments(), after.second_moments().begin());
      after.set_steps(before.steps());
    }
  }
  EXPECT_EQ(straight.values(), resumed.values());
}

TEST_P(EachKind, ANormThatIsNotFiniteChangesNothing) {
  Model model;
  model.draw_gradients();
  model.store.gradients()[0] = std::numeric_limits<float>::quiet_NaN();
  Optimizer optimizer(options(GetParam()), model.store);
  const std::vector<float> before = model.values();
  const double bad = optimizer.gradient_norm();
  EXPECT_TRUE(std::isnan(bad));
  EXPECT_THROW(optimizer.apply(0.01, bad), Error);
  EXPECT_EQ(model.values(), before);
  EXPECT_EQ(optimizer.steps(), 0);
}

TEST_P(EachKind, GapsBetweenParametersStayZero) {
  Model model;
  Optimizer optimizer(options(GetParam()), model.store);
  model.draw_gradients();
  optimizer.apply(0.01, optimizer.gradient_norm());
  std::vector<float> rest = model.values();
  for (const PublishedTensor& tensor : model.store.published()) std::ranges::fill(Model::of(tensor, rest), 0.0f);
  EXPECT_EQ(rest, std::vector<float>(rest.size()));
}

// Printed by PyTorch 2.13: torch.optim.AdamW and torch.nn.utils.clip_grad_norm_ in f32, with the values and gradients
// below.
TEST(Optimizer, AdamWStepsAsPyTorchDoes) {
  ParameterStore store;
  const Scope root(store, "");
  const Parameter& weight = root.weight("weight", {2, 3});
  const Parameter& bias = root.bias("bias", 3);
  store.allocate();
  for (int i = 0; i < 6; ++i) store.values()[weight.offset + i] = static_cast<float>(7 * i % 11 - 5) / 8;

  Optimizer optimizer({.weight_decay = 0.1, .clip_grad_norm = 0.5}, store);
  constexpr std::array kNorms{0.788094997, 0.670237839, 0.673145652, 0.655505478, 0.76290971};
  for (int step = 0; step < 5; ++step) {
    for (int i = 0; i < 6; ++i) {
      store.gradients()[weight.offset + i] = static_cast<float>((5 * i + 3 * step) % 13 - 6) / 16;
    }
    for (int i = 0; i < 3; ++i) {
      store.gradients()[bias.offset + i] = static_cast<float>((5 * i + 2 + 3 * step) % 13 - 6) / 16;
    }
    const double norm = optimizer.gradient_norm();
    EXPECT_NEAR(norm, kNorms[step], 1e-7);
    optimizer.apply(0.01 * (step + 1), norm);
  }
  constexpr std::array kWeight{-0.562320769, 0.230420783, -0.213412941, 0.641314328, 0.128379703, -0.404377103};
  constexpr std::array kBias{0.0259856638, 0.00500537548, -0.0351412594};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(store.values()[weight.offset + i], kWeight[i], 1.5e-7);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(store.values()[bias.offset + i], kBias[i], 1.5e-7);
}

TEST(Optimizer, NormIsTheRootOfAllSquares) {
  ParameterStore store;
  Scope(store, "").weight("weight", {1, 100000});
  store.allocate();
  std::ranges::fill(store.gradients(), 3.0f);
  EXPECT_DOUBLE_EQ(Optimizer({}, store).gradient_norm(), 3 * std::sqrt(100000.0));
}

TEST(Optimizer, ClippingScalesByTheNormAndZeroSwitchesItOff) {
  // One step of LAMB's or AdamW's direction hides the scale of a gradient; the first moment shows it.
  for (const auto& [clip, expected] : {std::pair{0.0, 0.4}, {10.0, 0.4}, {2.0, 0.2}}) {
    ParameterStore store;
    const Parameter& bias = Scope(store, "").bias("bias", 1);
    store.allocate();
    store.gradients()[bias.offset] = 4;
    Optimizer optimizer({.clip_grad_norm = clip}, store);
    optimizer.apply(0.1, optimizer.gradient_norm());
    EXPECT_NEAR(optimizer.first_moments()[bias.offset], expected, 1e-6);
  }
}

}  // namespace
}  // namespace bertha
