#include "data/masking.h"

#include <cmath>
#include <utility>

#include "autograd/core/error.h"

namespace bertha {
namespace {

void check_share(const char* name, double share) {
  check<ConfigError>(share >= 0 && share <= 1, "masking: ", name, " is ", share, " (expected a number from 0 to 1)");
}

void check_options(const MaskingOptions& options) {
  check_share("probability", options.probability);
  check_share("mask", options.mask);
  check_share("random", options.random);
  check_share("keep", options.keep);
  const double sum = options.mask + options.random + options.keep;
  check<ConfigError>(std::abs(sum - 1) <= 1e-6, "masking: mask ", options.mask, ", random ", options.random,
                     " and keep ", options.keep, " add up to ", sum, " (expected 1)");
}

}  // namespace

RandomStream training_masks(uint64_t seed, int64_t epoch, int64_t sample) {
  return RandomStream(seed, "masking", static_cast<uint64_t>(epoch), static_cast<uint64_t>(sample));
}

RandomStream evaluation_masks(int64_t sample) {
  return RandomStream(0, "evaluation masking", 0, static_cast<uint64_t>(sample));
}

Masker::Masker(const MaskingOptions& options, const Tokenizer& tokenizer)
    : options_(options), mask_id_(tokenizer.specials().mask) {
  check_options(options);
  check<MismatchError>(mask_id_ >= 0, "masking: the vocabulary has no token to mask with");
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const bool special = tokenizer.is_special(id);
    if (!special) ordinary_.push_back(id);
    kinds_.push_back(special                         ? TokenKind::kSpecial
                     : tokenizer.is_continuation(id) ? TokenKind::kContinuation
                                                     : TokenKind::kWordStart);
  }
}

MaskedSequence Masker::operator()(Sequence sequence, RandomStream random) const {
  check_ids(sequence.ids);
  MaskedSequence masked{std::move(sequence), {}, {}};
  std::vector<int32_t>& ids = masked.sequence.ids;
  for (size_t begin = 0, end = 0; begin < ids.size(); begin = end) {
    end = end_of_unit(ids, begin);
    if (kind(ids[begin]) == TokenKind::kSpecial || random.uniform() >= options_.probability) continue;
    const double fate = random.uniform();
    for (size_t i = begin; i < end; ++i) {
      masked.positions.push_back(static_cast<int32_t>(i));
      masked.labels.push_back(ids[i]);
      if (fate < options_.mask) {
        ids[i] = mask_id_;
      } else if (fate < options_.mask + options_.random) {
        ids[i] = random_token(random);
      }
    }
  }
  return masked;
}

void Masker::check_ids(std::span<const int32_t> ids) const {
  for (const int32_t id : ids) {
    check<MismatchError>(id >= 0 && static_cast<size_t>(id) < kinds_.size(), "masking: token id ", id,
                         " is outside the vocabulary of ", kinds_.size(), " tokens (were the shards made with it?)");
  }
}

// Where the tokens that are selected together with ids[begin] end.
size_t Masker::end_of_unit(std::span<const int32_t> ids, size_t begin) const {
  size_t end = begin + 1;
  if (!options_.whole_word || kind(ids[begin]) == TokenKind::kSpecial) return end;
  while (end < ids.size() && kind(ids[end]) == TokenKind::kContinuation) ++end;
  return end;
}

int32_t Masker::random_token(RandomStream& random) const {
  return ordinary_[random.below(static_cast<uint32_t>(ordinary_.size()))];
}

}  // namespace bertha
