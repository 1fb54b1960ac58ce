#include "autograd/ops/task_losses.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "autograd/kernels/elementwise.h"

namespace bertha {
namespace {

using Numbers = std::vector<double>;
// Fills the gradient (zero before) by the numbers of one tensor and sums up its terms.
using Rule = std::function<LossSums(const Numbers& x, Numbers& dx)>;

struct LossOp {
  static constexpr const char* kName = "loss";
  struct Saved {
    Tensor dx;
  };

  static Tensor forward(Saved& saved, const Tensor& x, const Rule& rule, double scale, LossSums* sums) {
    Tensor loss = Tensor::uninitialized({1}, x.dtype());
    Tensor dx = Tensor::uninitialized(x.shape(), x.dtype());
    dispatch(x.dtype(), [&]<class T>() {
      const Numbers numbers(x.span<T>().begin(), x.span<T>().end());
      Numbers gradient(numbers.size());
      const LossSums terms = rule(numbers, gradient);
      std::ranges::transform(gradient, dx.data<T>(), [&](double g) { return static_cast<T>(scale * g); });
      *loss.data<T>() = static_cast<T>(scale * terms.loss);
      *sums += terms;
    });
    saved = {dx};
    return loss;
  }

  static void backward(const Saved& saved, const Tensor& dloss, const Gradients<1>& d) {
    if (auto dx = d[0].open()) {
      kernels::dispatch(saved.dx.dtype(), [&]<class Isa, class T>() {
        const double factor = *dloss.data<Precise<T>>();
        kernels::accumulate<Isa>(saved.dx.numel(), factor, saved.dx.data<T>(), dx.beta, dx.out->data<T>());
      });
    }
  }
};

Var loss(const Var& x, const Rule& rule, double scale, LossSums& sums) {
  return apply<LossOp>(x, rule, scale, &sums);
}

void check_targets(const char* name, const Var& x, size_t targets) {
  check(static_cast<int64_t>(targets) == x.value().numel(), name, ": ", targets, " targets for ", x.value().shape());
}

// Numbers of one softmax, `stride` apart.
struct Places {
  int64_t first, count, stride;
  size_t operator[](int64_t i) const { return static_cast<size_t>(first + i * stride); }
};

struct Softmax {
  Numbers shares;
  double log_sum = 0;  // of e^(x / T): with it a share too small for a double still has its logarithm
};

Softmax softmax(const Numbers& x, const Places& places, double temperature) {
  double largest = x[places[0]];
  for (int64_t i = 1; i < places.count; ++i) largest = std::max(largest, x[places[i]]);
  Numbers p(static_cast<size_t>(places.count));
  double sum = 0;
  for (int64_t i = 0; i < places.count; ++i) {
    sum += p[static_cast<size_t>(i)] = std::exp((x[places[i]] - largest) / temperature);
  }
  for (double& share : p) share /= sum;
  return {std::move(p), std::log(sum) + largest / temperature};
}

LossSums cross_entropy_term(const Numbers& x, const Places& places, int64_t label, Numbers& dx) {
  const auto [p, log_sum] = softmax(x, places, 1);
  for (int64_t i = 0; i < places.count; ++i) dx[places[i]] = p[static_cast<size_t>(i)] - (i == label ? 1 : 0);
  const bool right = p[static_cast<size_t>(label)] == *std::ranges::max_element(p);
  return {log_sum - x[places[label]], 1, right};
}

// T^2 times the divergence of softmax(x / T) from softmax(wanted / T).
LossSums divergence_term(const Numbers& x, const Numbers& wanted, const Places& places, double temperature,
                         Numbers& dx) {
  const auto [p, p_log_sum] = softmax(x, places, temperature);
  const auto [q, q_log_sum] = softmax(wanted, places, temperature);
  double divergence = 0;
  for (int64_t i = 0; i < places.count; ++i) {
    const double share = q[static_cast<size_t>(i)];
    divergence += share * ((wanted[places[i]] - x[places[i]]) / temperature - q_log_sum + p_log_sum);
    dx[places[i]] = temperature * (p[static_cast<size_t>(i)] - share);
  }
  const bool right = std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin();
  return {temperature * temperature * divergence, 1, right};
}

// log(1 + e^x), without overflow.
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// A teacher's logits in double, one for each of the student's.
Numbers numbers_of(const char* name, const Tensor& teacher, const Var& logits) {
  check(logits.value().shape() == teacher.shape(), name, ": logits ", logits.value().shape(), " and teacher ",
        teacher.shape());
  return dispatch(teacher.dtype(),
                  [&]<class T>() { return Numbers(teacher.span<T>().begin(), teacher.span<T>().end()); });
}

}  // namespace

Var cross_entropy(const Var& logits, std::span<const int32_t> labels, double scale, LossSums& sums) {
  const int64_t classes = logits.cols();
  check(std::ssize(labels) == logits.rows(), "cross_entropy: ", labels.size(), " labels for ", logits.value().shape());
  for (const int32_t label : labels) {
    check(label < classes, "cross_entropy: label ", label, " (of ", classes, " classes)");
  }
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (int64_t row = 0; row < std::ssize(labels); ++row) {
      const int32_t label = labels[static_cast<size_t>(row)];
      if (label >= 0) terms += cross_entropy_term(x, {row * classes, classes, 1}, label, dx);
    }
    return terms;
  };
  return loss(logits, rule, scale, sums);
}

Var binary_cross_entropy(const Var& logits, std::span<const float> targets, double scale, LossSums& sums) {
  check_targets("binary_cross_entropy", logits, targets.size());
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (size_t i = 0; i < x.size(); ++i) {
      dx[i] = sigmoid(x[i]) - targets[i];
      terms += {softplus(x[i]) - targets[i] * x[i], 1, (x[i] > 0) == (targets[i] > 0.5f)};
    }
    return terms;
  };
  return loss(logits, rule, scale, sums);
}

Var squared_error(const Var& y, std::span<const float> targets, double scale, LossSums& sums) {
  check_targets("squared_error", y, targets.size());
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = x[i] - targets[i];
      dx[i] = 2 * error;
      terms += {error * error, 1, 0};
    }
    return terms;
  };
  return loss(y, rule, scale, sums);
}

Var segment_cross_entropy(const Var& logits, int64_t column, std::span<const int32_t> segments,
                          std::span<const int32_t> labels, double scale, LossSums& sums) {
  const int64_t stride = logits.cols();
  check(column >= 0 && column < stride && segments.size() == labels.size() + 1 && segments.back() == logits.rows(),
        "segment_cross_entropy: column ", column, " of ", logits.value().shape(), " with ", labels.size(),
        " labels and segments up to ", segments.back());
  for (size_t s = 0; s < labels.size(); ++s) {
    check(labels[s] < 0 || (labels[s] >= segments[s] && labels[s] < segments[s + 1]), "segment_cross_entropy: label ",
          labels[s], " (outside its segment from ", segments[s], " to ", segments[s + 1], ")");
  }
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (size_t s = 0; s < labels.size(); ++s) {
      if (labels[s] < 0) continue;
      const Places places = {segments[s] * stride + column, segments[s + 1] - segments[s], stride};
      terms += cross_entropy_term(x, places, labels[s] - segments[s], dx);
    }
    return terms;
  };
  return loss(logits, rule, scale, sums);
}

Var soft_cross_entropy(const Var& logits, const Tensor& teacher, double temperature, double scale, LossSums& sums) {
  const int64_t classes = logits.cols();
  const Numbers wanted = numbers_of("soft_cross_entropy", teacher, logits);
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (int64_t first = 0; first < std::ssize(x); first += classes) {
      terms += divergence_term(x, wanted, {first, classes, 1}, temperature, dx);
    }
    return terms;
  };
  return loss(logits, rule, scale, sums);
}

Var soft_binary_cross_entropy(const Var& logits, const Tensor& teacher, double temperature, double scale,
                              LossSums& sums) {
  const Numbers wanted = numbers_of("soft_binary_cross_entropy", teacher, logits);
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (size_t i = 0; i < x.size(); ++i) {
      const double own = x[i] / temperature;
      const double taught = wanted[i] / temperature;
      const double yes = sigmoid(taught) * (softplus(-own) - softplus(-taught));
      const double no = sigmoid(-taught) * (softplus(own) - softplus(taught));
      dx[i] = temperature * (sigmoid(own) - sigmoid(taught));
      terms += {temperature * temperature * (yes + no), 1, (x[i] > 0) == (wanted[i] > 0)};
    }
    return terms;
  };
  return loss(logits, rule, scale, sums);
}

Var soft_segment_cross_entropy(const Var& logits, int64_t column, std::span<const int32_t> segments,
                               const Tensor& teacher, double temperature, double scale, LossSums& sums) {
  const int64_t stride = logits.cols();
  check(column >= 0 && column < stride && !segments.empty() && segments.back() == logits.rows(),
        "soft_segment_cross_entropy: column ", column, " of ", logits.value().shape(), " with ", segments.size(),
        " borders of segments");
  const Numbers wanted = numbers_of("soft_segment_cross_entropy", teacher, logits);
  const Rule rule = [=](const Numbers& x, Numbers& dx) {
    LossSums terms;
    for (size_t s = 0; s + 1 < segments.size(); ++s) {
      const Places places = {segments[s] * stride + column, segments[s + 1] - segments[s], stride};
      terms += divergence_term(x, wanted, places, temperature, dx);
    }
    return terms;
  };
  return loss(logits, rule, scale, sums);
}

}  // namespace bertha
