#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/byte_alphabet.h"
#include "data/byte_bpe.h"

namespace bertha {

/// RoBERTa's special tokens, every byte, and a few merges in this order:
///     "h e", "l l", "he ll", "hell o", "Ġ hello", "Ġ Ġ", "ð Ł" (the first two bytes of an emoji), "Ġ w"
struct SmallByteBpe {
  static std::vector<std::string> tokens() {
    std::vector<std::string> tokens = {"<s>", "<pad>", "</s>", "<unk>"};
    for (int byte = 0; byte < 256; ++byte) tokens.push_back(written_bytes(std::string(1, static_cast<char>(byte))));
    for (const auto& [left, right] : merges().pairs) tokens.push_back(left + right);
    tokens.push_back("<mask>");
    return tokens;
  }

  static MergeList merges() {
    MergeList merges;
    merges.pairs = {{"h", "e"},     {"l", "l"}, {"he", "ll"}, {"hell", "o"},
                    {"Ġ", "hello"}, {"Ġ", "Ġ"}, {"ð", "Ł"},   {"Ġ", "w"}};
    merges.place = "merges.txt:";
    return merges;
  }

  static std::string merges_text() {
    std::string text = "#version: 0.2\n";
    for (const auto& [left, right] : merges().pairs) text += left + " " + right + "\n";
    return text;
  }
};

}  // namespace bertha
