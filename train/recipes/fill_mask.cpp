#include "train/recipes/fill_mask.h"

#include <algorithm>
#include <numeric>

#include "train/recipes/pretraining_batch.h"
#include "train/recipes/task_predictions.h"
#include "train/recipes/text_batch.h"

namespace bertha {

std::vector<Candidate> best_candidates(std::span<const float> logits, int64_t top_k) {
  const std::vector<double> probabilities = predict_label(logits).scores;
  std::vector<int32_t> ids(probabilities.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto count = std::min<int64_t>(top_k, static_cast<int64_t>(ids.size()));
  const auto better = [&](int32_t a, int32_t b) {
    const double left = probabilities[static_cast<size_t>(a)];
    const double right = probabilities[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  };
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(), better);
  std::vector<Candidate> candidates;
  for (int64_t i = 0; i < count; ++i) {
    candidates.push_back(
        {ids[static_cast<size_t>(i)], probabilities[static_cast<size_t>(ids[static_cast<size_t>(i)])]});
  }
  return candidates;
}

std::vector<std::vector<std::vector<Candidate>>> fill_masks(const BertForPretraining& model,
                                                            std::span<const Encoding> texts, int32_t mask_id,
                                                            int64_t top_k) {
  const PackedBatch batch = pack_texts(texts, model.config());
  std::vector<int32_t> rows;
  for (size_t row = 0; row < batch.input_ids.size(); ++row) {
    if (batch.input_ids[row] == mask_id) rows.push_back(static_cast<int32_t>(row));
  }
  Run run;
  set_sequences(run, batch);
  const Tensor logits = model.mlm_logits(run, token_inputs(batch), rows).value();
  std::vector<std::vector<std::vector<Candidate>>> result(texts.size());
  size_t text = 0;
  for (int64_t i = 0; i < logits.rows(); ++i) {
    while (rows[static_cast<size_t>(i)] >= batch.cu_seqlens[text + 1]) ++text;
    result[text].push_back(best_candidates(logits.row_range(i, 1).span<float>(), top_k));
  }
  return result;
}

std::vector<double> next_sentence_probabilities(const BertForPretraining& model, std::span<const Encoding> pairs) {
  const PackedBatch batch = pack_texts(pairs, model.config());
  Run run;
  set_sequences(run, batch);
  const Tensor logits = model.next_sentence_logits(run, token_inputs(batch)).value();
  std::vector<double> probabilities;
  for (int64_t i = 0; i < logits.rows(); ++i) {
    probabilities.push_back(predict_label(logits.row_range(i, 1).span<float>()).scores[0]);
  }
  return probabilities;
}

}  // namespace bertha
