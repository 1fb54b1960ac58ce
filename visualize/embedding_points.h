#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "nn/bert_for_task.h"
#include "visualize/map_texts.h"

namespace bertha {

/// More cannot be looked at, and all pairs of them would be compared.
inline constexpr int64_t kMostMapPoints = 100'000;
inline constexpr int64_t kLeastMapPoints = 3;

/// Vectors and what is known of them.
struct EmbeddingPoints {
  Tensor vectors = {};                  // (P, H) float, finite
  std::vector<std::string> names = {};  // (P)
  std::vector<PointColumn> columns = {};
  int64_t cut_texts = 0;  // that were longer than the model reads
};

/// All of the following throw ConfigError for fewer than kLeastMapPoints or more than kMostMapPoints points, and
/// DamagedFileError naming the first point whose vector is not finite.

/// The rows of the embedding matrix that have a token, with `id`, `kind` (see token_kind), `length` in code points and
/// `norm`.
EmbeddingPoints vocabulary_points(const BertForTask& model, const Tokenizer& tokenizer);

/// The mean of each text's last hidden states, with `line`, `tokens`, `norm` and the texts' own columns.
EmbeddingPoints sentence_points(const BertForTask& model, const Tokenizer& tokenizer, const MapTexts& texts);

/// The last hidden state of every token where it stands, special tokens included, with `id`, `kind`, `position`,
/// `line`, `norm`, `text` and the texts' own columns.
EmbeddingPoints token_points(const BertForTask& model, const Tokenizer& tokenizer, const MapTexts& texts);

}  // namespace bertha
