#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/vocabulary.h"
#include "data/wordpiece.h"

namespace bertha {

/// Words w0, w1, ... and continuations ##p0, ##p1, ... with the special tokens in their midst and at both ends, where
/// an off-by-one would draw them.
struct SmallVocabulary {
  static constexpr int32_t kPad = 0;
  static constexpr int32_t kUnk = 21;
  static constexpr int32_t kCls = 22;
  static constexpr int32_t kSep = 23;
  static constexpr int32_t kMask = 44;
  static constexpr std::array<int32_t, 5> kSpecial = {kPad, kUnk, kCls, kSep, kMask};
  static constexpr int32_t kSize = 45;
  static constexpr int32_t kOrdinary = 40;

  static constexpr int32_t word(int32_t i) { return kPad + 1 + i; }
  static constexpr int32_t piece(int32_t i) { return kSep + 1 + i; }

  static Vocabulary make() {
    std::vector<std::string> tokens = {"[PAD]"};
    for (int32_t i = 0; i < kOrdinary / 2; ++i) tokens.push_back(std::string("w").append(std::to_string(i)));
    tokens.insert(tokens.end(), {"[UNK]", "[CLS]", "[SEP]"});
    for (int32_t i = 0; i < kOrdinary / 2; ++i) tokens.push_back(std::string("##p").append(std::to_string(i)));
    tokens.push_back("[MASK]");
    return Vocabulary(std::move(tokens), "small vocabulary");
  }
  static WordPiece tokenizer() { return {make(), true}; }
};

}  // namespace bertha
