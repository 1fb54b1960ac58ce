#include "train/inspect/sample_text.h"

#include <algorithm>

namespace bertha {
namespace {

std::string text_of(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  const auto is_special = [&](int32_t id) { return tokenizer.is_special(id); };
  std::string text;
  const auto append = [&](const std::string& part) { text += (text.empty() ? "" : " ") + part; };
  for (auto at = ids.begin(); at != ids.end();) {
    const auto end = std::find_if(at, ids.end(), is_special);
    if (at != end) append(tokenizer.decode({at, end}));
    at = end;
    if (at != ids.end()) append(tokenizer.token(*at++));
  }
  return text;
}

}  // namespace

SampleText sample_text(const Tokenizer& tokenizer, const MaskedSequence& sample) {
  SampleText text;
  text.masked = text_of(tokenizer, sample.sequence.ids);
  std::vector<int32_t> ids = sample.sequence.ids;
  for (size_t i = 0; i < sample.positions.size(); ++i) {
    ids[static_cast<size_t>(sample.positions[i])] = sample.labels[i];
    text.to_predict.push_back(tokenizer.token(sample.labels[i]));
  }
  text.text = text_of(tokenizer, ids);
  return text;
}

}  // namespace bertha
