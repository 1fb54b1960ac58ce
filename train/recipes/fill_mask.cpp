#include "train/recipes/fill_mask.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bertha {
namespace {

// One sequence as a packed batch.
struct SingleSequence {
  std::vector<int32_t> position_ids, cu_seqlens;

  SingleSequence(const BertForPretraining& model, const Encoding& text) {
    const auto length = static_cast<int64_t>(text.ids.size());
    check<MismatchError>(length <= model.config().max_position_embeddings, "text: ", length, " tokens (the model has ",
                         model.config().max_position_embeddings, " positions)");
    position_ids.resize(text.ids.size());
    std::iota(position_ids.begin(), position_ids.end(), 0);
    cu_seqlens = {0, static_cast<int32_t>(length)};
  }
};

std::vector<double> softmax(std::span<const float> logits) {
  const double maximum = *std::ranges::max_element(logits);
  std::vector<double> p;
  double sum = 0;
  for (const float logit : logits) {
    p.push_back(std::exp(logit - maximum));
    sum += p.back();
  }
  for (double& x : p) x /= sum;
  return p;
}

std::vector<Candidate> best(std::span<const double> probabilities, int64_t top_k) {
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

}  // namespace

std::vector<std::vector<Candidate>> fill_mask(const BertForPretraining& model, const Encoding& text, int32_t mask_id,
                                              int64_t top_k) {
  std::vector<int32_t> rows;
  for (size_t i = 0; i < text.ids.size(); ++i) {
    if (text.ids[i] == mask_id) rows.push_back(static_cast<int32_t>(i));
  }
  check<ConfigError>(!rows.empty(), "text: holds no [MASK] to fill");
  const SingleSequence sequence(model, text);
  Run run;
  run.cu_seqlens = sequence.cu_seqlens;
  const Tensor logits = model.mlm_logits(run, {text.ids, text.type_ids, sequence.position_ids}, rows).value();
  std::vector<std::vector<Candidate>> result;
  for (int64_t row = 0; row < logits.rows(); ++row) {
    result.push_back(best(softmax(logits.row_range(row, 1).span<float>()), top_k));
  }
  return result;
}

double next_sentence_probability(const BertForPretraining& model, const Encoding& pair) {
  const SingleSequence sequence(model, pair);
  Run run;
  run.cu_seqlens = sequence.cu_seqlens;
  const Tensor logits = model.next_sentence_logits(run, {pair.ids, pair.type_ids, sequence.position_ids}).value();
  return softmax(logits.span<float>())[0];
}

}  // namespace bertha
