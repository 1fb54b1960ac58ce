#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/core/random.h"
#include "data/shard.h"
#include "data/tokenizer.h"

namespace bertha {

/// How tokens are chosen for prediction, and what the model sees in their place; all shares lie in [0, 1].
struct MaskingOptions {
  double probability = 0.15;  // of a token to be selected
  double mask = 0.8;          // of the selected: replaced by [MASK],
  double random = 0.1;        // by a random token,
  double keep = 0.1;          // or left as they are
  bool whole_word = false;    // select a word with all its pieces
};

/// A sequence as the model sees it, and what it has to predict.
struct MaskedSequence {
  Sequence sequence;               // its ids with the selected tokens replaced
  std::vector<int32_t> positions;  // of the selected tokens, ascending
  std::vector<int32_t> labels;     // their original ids
};

/// The random numbers of one sample's masks in training: others in each epoch, the same on any rank and thread.
RandomStream training_masks(uint64_t seed, int64_t epoch, int64_t sample);

/// The same for every run, seed and epoch, so that evaluation losses can be compared.
RandomStream evaluation_masks(int64_t sample);

/// Selects tokens for masked-language modelling. Each token is selected by itself with the given probability, so a
/// short sequence may have none; each selected one is masked, replaced or kept by itself. A whole word (a piece and
/// those that continue it) is selected as one and shares one fate, with a random token drawn for each piece. Special
/// tokens are never selected and never drawn. Source: Devlin et al. 2018 (arXiv:1810.04805) §3.1; whole words after its
/// published code of May 2019, which selects
///         by words in the same way but lets each piece have a fate of its own.
class Masker {
 public:
  /// Throws ConfigError where a share is out of range or mask, random and keep do not add up to 1, MismatchError for a
  /// tokenizer without a mask.
  Masker(const MaskingOptions& options, const Tokenizer& tokenizer);

  /// Throws MismatchError for an id that the vocabulary does not have.
  MaskedSequence operator()(Sequence sequence, RandomStream random) const;

 private:
  enum class TokenKind : uint8_t { kSpecial, kWordStart, kContinuation };

  void check_ids(std::span<const int32_t> ids) const;
  size_t end_of_unit(std::span<const int32_t> ids, size_t begin) const;
  TokenKind kind(int32_t id) const { return kinds_[static_cast<size_t>(id)]; }
  int32_t random_token(RandomStream& random) const;

  MaskingOptions options_;
  int32_t mask_id_;
  std::vector<TokenKind> kinds_;   // of every id
  std::vector<int32_t> ordinary_;  // ids that are not special
};

}  // namespace bertha
