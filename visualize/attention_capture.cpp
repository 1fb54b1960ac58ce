#include "visualize/attention_capture.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "data/shown.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_batch.h"
#include "train/recipes/text_batch.h"

namespace bertha {
namespace {

// Puts together what the modules of a pass over one text offer.
class LayerObserver {
 public:
  LayerObserver(const AttentionModel& model, int64_t tokens, const std::function<void(const LayerAttention&)>& see)
      : model_(model), see_(see) {
    seen_.heads = model.config().num_attention_heads;
    seen_.tokens = tokens;
  }

  void operator()(const std::string& path, const Tensor& tensor) {
    if (path.ends_with(".self.projections")) seen_.projections = tensor;
    if (!path.ends_with(".self.probabilities")) return;
    seen_.probabilities = tensor;
    const bool finite = std::ranges::all_of(tensor.span<float>(), [](float p) { return std::isfinite(p); });
    check<Error>(finite, model_.directory(), ": layer ", seen_.layer,
                 " gives attention that is not a number (expected finite weights)");
    see_(seen_);
    ++seen_.layer;
  }

 private:
  const AttentionModel& model_;
  const std::function<void(const LayerAttention&)>& see_;
  LayerAttention seen_;
};

std::vector<std::vector<Candidate>> best_of_rows(const Tensor& logits, int64_t top_k) {
  std::vector<std::vector<Candidate>> rows;
  for (int64_t i = 0; i < logits.rows(); ++i) {
    rows.push_back(best_candidates(logits.row_range(i, 1).span<float>(), top_k));
  }
  return rows;
}

}  // namespace

AttentionModel::AttentionModel(std::string directory) : directory_(std::move(directory)) {
  ModelDescription description = read_model_description(directory_);
  if (has_head(description.head, Head::kMlm)) {
    pretraining_ = read_model(directory_);
  } else {
    description.head = Head::kNone;
    encoder_ = read_task_model(directory_, description);
  }
  tokenizer_ = read_tokenizer(directory_, config());
}

const BertConfig& AttentionModel::config() const {
  return pretraining_ ? pretraining_->config() : encoder_->config();
}

AttentionText AttentionModel::read(std::string_view text, std::optional<std::string_view> pair, int64_t longest) const {
  AttentionText result;
  result.encoding = tokenizer_->encode(text, pair, {});
  const int64_t whole = result.tokens();
  longest = std::min(longest, config().longest_sequence());
  if (whole > longest) result.encoding = tokenizer_->encode(text, pair, {.max_length = longest});
  result.left_out = whole - result.tokens();
  return result;
}

std::vector<std::vector<Candidate>> AttentionModel::attend(
    const Encoding& text, int64_t top_k, const std::function<void(const LayerAttention&)>& see) const {
  const PackedBatch batch = pack_texts(std::span(&text, 1), config());
  Run run;
  set_sequences(run, batch);
  run.observer = LayerObserver(*this, batch.tokens(), see);
  if (!pretraining_) {
    encoder_->hidden_states(run, token_inputs(batch));
    return {};
  }
  std::vector<int32_t> rows(batch.input_ids.size());
  std::iota(rows.begin(), rows.end(), 0);
  return best_of_rows(pretraining_->mlm_logits(run, token_inputs(batch), rows).value(), top_k);
}

void check_same_tokens(const AttentionSubject& subject, const AttentionSubject& other) {
  const auto name = [](const AttentionSubject& of, int64_t place) {
    if (place >= of.text.tokens()) return std::string("the end");
    return shown(of.model->tokenizer().token(of.text.encoding.ids[static_cast<size_t>(place)]));
  };
  for (int64_t place = 0; place < std::max(subject.text.tokens(), other.text.tokens()); ++place) {
    const std::string expected = name(subject, place), found = name(other, place);
    check<MismatchError>(found == expected, other.model->directory(), ": reads the text as other tokens than ",
                         subject.model->directory(), " (", found, " at place ", place, ", expected ", expected, ")");
  }
}

}  // namespace bertha
