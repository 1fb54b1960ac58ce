#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "autograd/ops/activation.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/embedding.h"
#include "nn/bert_config.h"
#include "nn/linear.h"
#include "nn/run.h"

namespace bertha {

/// What a head of sequences reads: the first token's state through one layer, dropout(tanh(W x + b)). RoBERTa's
/// classifier drops out in front of that layer too; DistilBERT has relu in the place of tanh.
/// Source: the published code of Devlin et al. 2018, Liu et al. 2019 and Sanh et al. 2019.
class TaskPooler {
 public:
  TaskPooler(const Scope& s, const BertConfig& c, Head head)
      : family_(c.family),
        dense_(s / "dense", c.hidden_size, c.hidden_size),
        dropout_(s / "dropout", c.task_dropout(head)) {
    if (family_ == Family::kRoberta && head == Head::kSequence) {
      first_dropout_.emplace(s / "first", c.task_dropout(head));
    }
  }

  /// x (B, H), the states of the rows `first_tokens`; result (B, H).
  Var operator()(Run& run, Var x, std::span<const int32_t> first_tokens) const {
    const std::span<const uint64_t> keys = run.keys_of(first_tokens);
    if (first_dropout_) x = dropout(run.dropout(*first_dropout_, keys), x);
    const Var y = dense_(run, x);
    return dropout(run.dropout(dropout_, keys), family_ == Family::kDistilBert ? relu(y) : tanh(y));
  }

 private:
  Family family_;
  Linear dense_;
  DropoutSite dropout_;
  std::optional<DropoutSite> first_dropout_;
};

/// A task's last layer behind dropout: y = W dropout(x) + b.
class TaskLayer {
 public:
  TaskLayer(const Scope& s, const BertConfig& c, int64_t outputs, double dropout_prob)
      : linear_(s, c.hidden_size, outputs), dropout_(s / "dropout", dropout_prob) {}

  /// x (R, H), states of rows with these `keys`; result (R, outputs).
  Var operator()(Run& run, const Var& x, std::span<const uint64_t> keys) const {
    return linear_(run, dropout(run.dropout(dropout_, keys), x));
  }

 private:
  Linear linear_;
  DropoutSite dropout_;
};

}  // namespace bertha
