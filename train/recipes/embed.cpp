#include "train/recipes/embed.h"

#include <cmath>

#include "train/recipes/pretraining_batch.h"
#include "train/recipes/text_batch.h"

namespace bertha {
namespace {

Tensor mean_of_rows(const Tensor& states, std::span<const int32_t> rows) {
  const int64_t hidden = states.cols();
  Tensor mean = Tensor::zeros({1, hidden}, DType::f32);
  for (int64_t column = 0; column < hidden; ++column) {
    double sum = 0;
    for (const int32_t row : rows) sum += states.data<float>()[row * hidden + column];
    mean.data<float>()[column] = static_cast<float>(sum / static_cast<double>(rows.size()));
  }
  return mean;
}

std::vector<int32_t> rows_between(int32_t begin, int32_t end) {
  std::vector<int32_t> rows;
  for (int32_t row = begin; row < end; ++row) rows.push_back(row);
  return rows;
}

Tensor hidden_states(const BertForTask& model, const PackedBatch& batch) {
  Run run;
  set_sequences(run, batch);
  return model.hidden_states(run, token_inputs(batch)).value();
}

}  // namespace

std::vector<Tensor> embed(const BertForTask& model, std::span<const Encoding> texts, Pooling pooling) {
  const PackedBatch batch = pack_texts(texts, model.config());
  const Tensor states = hidden_states(model, batch);
  std::vector<Tensor> vectors;
  for (size_t text = 0; text < texts.size(); ++text) {
    const int32_t begin = batch.cu_seqlens[text];
    const int32_t end = batch.cu_seqlens[text + 1];
    switch (pooling) {
      case Pooling::kMean:
        vectors.push_back(mean_of_rows(states, rows_between(begin, end)));
        break;
      case Pooling::kCls:
        // A copy: the row's own tensor would keep all rows in memory.
        vectors.push_back(mean_of_rows(states, rows_between(begin, begin + 1)));
        break;
      case Pooling::kTokens:
        vectors.push_back(states.row_range(begin, end - begin));
        break;
    }
  }
  return vectors;
}

std::vector<int32_t> tokens_within(const Encoding& text, TextRange place) {
  std::vector<int32_t> tokens;
  for (size_t token = 0; token < text.offsets.size(); ++token) {
    const auto [begin, end] = text.offsets[token];
    const bool lies_there = begin < end && begin >= place.first && end <= place.second;
    if (lies_there) tokens.push_back(static_cast<int32_t>(token));
  }
  return tokens;
}

std::vector<Tensor> embed_words(const BertForTask& model, std::span<const Encoding> texts,
                                std::span<const std::vector<int32_t>> words) {
  const PackedBatch batch = pack_texts(texts, model.config());
  const Tensor states = hidden_states(model, batch);
  std::vector<Tensor> vectors;
  for (size_t text = 0; text < texts.size(); ++text) {
    std::vector<int32_t> rows;
    for (const int32_t token : words[text]) rows.push_back(batch.cu_seqlens[text] + token);
    vectors.push_back(mean_of_rows(states, rows));
  }
  return vectors;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, left = 0, right = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * b[i];
    left += double{a[i]} * a[i];
    right += double{b[i]} * b[i];
  }
  return left > 0 && right > 0 ? product / std::sqrt(left * right) : 0;
}

}  // namespace bertha
