#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/ops/dropout.h"
#include "autograd/tape.h"
#include "nn/parameter.h"

namespace bertha {

/// A place where dropout happens, known by its path; its masks depend on nothing else that is local to the module.
class DropoutSite {
 public:
  /// probability in [0, 1), rounded to a multiple of 2^-16.
  DropoutSite(const Scope& scope, double probability);

  uint64_t id() const { return id_; }
  uint32_t threshold() const { return threshold_; }

 private:
  uint64_t id_;
  uint32_t threshold_;
};

/// Rows of a packed batch, rising, and their keys; no rows: all of them.
struct RowSet {
  std::span<const int32_t> rows;
  std::span<const uint64_t> keys;
};

/// One pass of a packed batch through a model: everything a module needs to know besides its inputs.
struct Run {
  Tape* tape = nullptr;   // null: nothing is recorded
  bool training = false;  // dropout is on
  uint64_t seed = 0;
  uint32_t step = 0;
  std::span<const int32_t> cu_seqlens;  // (B + 1), first 0, last N
  std::span<const uint64_t> row_keys;   // (N) identity of (sample, position); needed when training
  DType dtype = DType::f32;             // of activations and their gradients
  bool recompute = false;               // layers keep their input only; backward runs them forward again

  Tape::Gradient gradient = Tape::Gradient::kOverwrite;
  /// Called when backward will not touch a parameter's gradient again.
  std::function<void(const Parameter&)> on_gradient;
  /// Sees the tensors modules offer: hidden states, attention probabilities. Costs nothing where absent.
  std::function<void(const std::string& path, const Tensor& tensor)> observer;

  /// The parameter as this pass sees it: the one join of tape and data parallelism.
  Var use(const Parameter& parameter);

  /// `keys` (rows of the tensor): the part of row_keys that it holds; must outlive backward.
  Dropout dropout(const DropoutSite& site, std::span<const uint64_t> keys) const;

  /// The same pass recorded elsewhere.
  Run on_tape(Tape* other) const;

  /// (B): the rows of the sequences' first tokens.
  std::span<const int32_t> first_tokens() const { return cu_seqlens.first(cu_seqlens.size() - 1); }

  /// (N): places in the sequences, counted from `first`; to be called once a pass.
  std::span<const int32_t> position_ids(int64_t first);

  /// Keys of some rows of the batch, for dropout on them; they live as long as this pass. Empty unless training.
  std::span<const uint64_t> keys_of(std::span<const int32_t> rows);

  /// All rows of the batch.
  RowSet all_rows() const { return {{}, row_keys}; }
  /// Some of them, rising; to be called once a pass.
  RowSet select_rows(std::span<const int32_t> rows);

  /// Offers `make()` under scope path + name, computing it only for an observer.
  template <class F>
  void observe(std::string_view path, F&& make) const {
    if (observer) observer(std::string(path), make());
  }

 private:
  std::vector<int32_t> position_ids_;
  std::vector<int32_t> selected_rows_;
  std::deque<std::vector<uint64_t>> keys_;  // handed out
  std::vector<Var> used_;                   // by parameter index; a parameter used twice is one Var
};

}  // namespace bertha
