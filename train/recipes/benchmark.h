#pragma once

#include <cstdint>
#include <optional>

#include "nn/bert_config.h"
#include "train/comm/communicator.h"
#include "train/trainer.h"

namespace bertha {

struct BenchmarkOptions {
  BertConfig config;
  int64_t sequence_length = 128;
  int64_t batch = 16;                  // sequences a step over all ranks
  double fill = 1;                     // row lengths are uniform in [2 fill - 1, 1] times the sequence length
  int64_t steps = 5;                   // measured, after two of warm-up
  std::optional<int64_t> micro_batch;  // sequences of one backward pass; left out: batch / ranks
  Reduction reduction = Reduction::kOverlapped;
  Sharding sharding = Sharding::kOff;
  DType dtype = DType::f32;
  bool recompute = false;
};

struct BenchmarkResult {
  double tokens_per_s = 0;  // real tokens
  double step_s = 0;        // median
  double mfu = 0;
  double communication_share = 0;  // of a step, waiting for other ranks
  double peak_gflops = 0;          // fused multiply-adds of all cores in use
  double peak_rss_mib = 0;         // of this rank
};

/// Full pretraining steps (forward, backward, clip, AdamW; dropout as configured, 15 % masked) on random tokens.
/// Collective.
BenchmarkResult benchmark(const BenchmarkOptions& options, Communicator& communicator);

}  // namespace bertha
