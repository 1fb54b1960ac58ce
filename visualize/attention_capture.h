#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"
#include "nn/bert_for_pretraining.h"
#include "nn/bert_for_task.h"
#include "train/recipes/fill_mask.h"

namespace bertha {

/// One layer's attention over a text of n tokens, by A heads.
struct LayerAttention {
  int64_t layer = 0, heads = 0, tokens = 0;
  Tensor probabilities;  // (A n n): each head's queries by keys
  Tensor projections;    // (n, 3H): query, key and value

  /// (n, n), row-major.
  std::span<const float> head(int64_t number) const {
    return probabilities.span<float>().subspan(number * tokens * tokens, tokens * tokens);
  }
};

/// A text, or a pair, as a model reads it.
struct AttentionText {
  Encoding encoding;
  int64_t left_out = 0;  // tokens behind the longest text that the model reads

  int64_t tokens() const { return std::ssize(encoding.ids); }
};

/// A model that is looked into: any directory that holds an encoder of the BERT family, whatever its head.
class AttentionModel {
 public:
  /// Throws as read_model and read_tokenizer do.
  explicit AttentionModel(std::string directory);

  const std::string& directory() const { return directory_; }
  const BertConfig& config() const;
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  /// Cut to `longest` tokens, or to as many as the model has positions; the longer text of a pair first. Special tokens
  /// that are written out are recognised. Throws as Tokenizer::encode does.
  AttentionText read(std::string_view text, std::optional<std::string_view> pair, int64_t longest) const;

  /// Runs the model and hands over each layer's attention, the first layer's first. Result: the `top_k` likeliest
  /// tokens at each position, best first; empty where the model has no masked-LM head. Throws Error where attention is
  /// not finite.
  std::vector<std::vector<Candidate>> attend(const Encoding& text, int64_t top_k,
                                             const std::function<void(const LayerAttention&)>& see) const;

 private:
  std::string directory_;
  std::unique_ptr<BertForPretraining> pretraining_;  // where it has a masked-LM head, else
  std::unique_ptr<BertForTask> encoder_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

/// A model and a text that it reads.
struct AttentionSubject {
  const AttentionModel* model = nullptr;
  AttentionText text;
};

/// Throws MismatchError unless both models read the text as the same tokens.
void check_same_tokens(const AttentionSubject& subject, const AttentionSubject& other);

}  // namespace bertha
