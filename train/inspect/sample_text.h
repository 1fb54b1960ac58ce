#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/masking.h"
#include "data/tokenizer.h"

namespace bertha {

/// A training sample as people read it.
struct SampleText {
  std::string text;                     // before masking
  std::string masked;                   // as the model sees it
  std::vector<std::string> to_predict;  // the selected tokens
};

/// Special tokens stand by their names, with decoded text between them. Throws MismatchError for ids that the
/// vocabulary does not have.
SampleText sample_text(const Tokenizer& tokenizer, const MaskedSequence& sample);

}  // namespace bertha
