#pragma once

#include <cstdint>
#include <optional>

namespace bertha {

enum class ScheduleKind { kLinear, kPolynomial, kCosine, kConstant, kWarmupStableDecay };

/// The learning rate of every step: rising linearly to `peak` over the warm-up, then, with r = (steps - s) /
/// (steps - warmup_steps) falling from 1 to 0,
///   linear               peak r (Devlin et al. 2018, published code)
///   polynomial           peak sqrt(r), power 1/2 as in NVIDIA's large-batch BERT with LAMB; power 1 would be linear
///   cosine               peak (1 - cos(pi r)) / 2 (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts)
///   constant             peak
///   warmup_stable_decay  peak until the last tenth of all steps, over which it falls linearly to 0 (Hu et al. 2024,
///                        arXiv:2404.06395 §4; linear as in Hägele et al. 2024, arXiv:2405.18392)
struct Schedule {
  ScheduleKind kind = ScheduleKind::kLinear;
  double peak = 0;
  std::optional<int64_t> warmup_steps;  // left out: a tenth of the run
  int64_t steps = 0;

  /// For the step of this number, from 0: peak (s + 1) / warmup_steps while s < warmup_steps. 0 from `steps` on, except
  /// for a constant rate.
  double learning_rate(int64_t step) const;

  /// The same for a run of limited time, of which the share `share` (0 to 1) is used: r = (1 - share) / (1 - share at
  /// the end of the warm-up), which of given warm-up steps is taken to be share * warmup_steps / step.
  double learning_rate(int64_t step, double share) const;
};

}  // namespace bertha
