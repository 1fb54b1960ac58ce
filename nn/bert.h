#pragma once

#include <string>
#include <vector>

#include "nn/bert_config.h"
#include "nn/embeddings.h"
#include "nn/encoder_layer.h"
#include "nn/run.h"

namespace bertha {

/// BERT's encoder over packed tokens. Source: Devlin et al. 2018 (arXiv:1810.04805).
class Bert {
 public:
  Bert(const Scope& s, const BertConfig& c) : embeddings(s / "embeddings", c), path_((s / "embeddings").path()) {
    layers_.reserve(static_cast<size_t>(c.num_hidden_layers));
    for (int64_t i = 0; i < c.num_hidden_layers; ++i) {
      layers_.emplace_back(s / "encoder" / "layer" / std::to_string(i), c);
    }
  }

  /// Result (R, H), the last hidden states of `rows`, which rise. The last layer computes no others, except for an
  /// observer: what nobody reads has no influence and no gradient.
  Var operator()(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const {
    if (run.observer || rows.empty()) return gather_rows(states(run, inputs), rows);
    return encode(run, inputs, run.select_rows(rows));
  }

  /// Result (N, H): the last hidden states of all rows.
  Var states(Run& run, const TokenInputs& inputs) const { return encode(run, inputs, run.all_rows()); }

  Embeddings embeddings;

 private:
  Var encode(Run& run, const TokenInputs& inputs, const RowSet& wanted) const {
    Var x = embeddings(run, inputs);
    run.observe(path_, [&] { return x.value(); });
    for (const EncoderLayer& layer : layers_) {
      const bool last = &layer == &layers_.back();
      // Backward begins with the last layer: what it keeps is needed at once.
      x = run.recompute && run.tape && !last ? recomputed(layer, run, x)
                                             : layer(run, x, last ? wanted : run.all_rows());
    }
    return x;
  }

  static Var recomputed(const EncoderLayer& layer, const Run& run, const Var& x) {
    return recompute(x, [&](Tape* tape, const Var& input) {
      Run inner = run.on_tape(tape);
      return layer(inner, input, inner.all_rows());
    });
  }

  std::string path_;
  std::vector<EncoderLayer> layers_;
};

}  // namespace bertha
