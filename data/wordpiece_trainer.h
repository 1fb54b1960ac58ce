#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/word_counts.h"

namespace bertha {

struct VocabularyOptions {
  int64_t size = 30522;  // tokens, the five special ones included
  CountOptions count;
};

/// Learns a WordPiece vocabulary from text files: count_words, then learn_pieces, and throws what they throw.
std::vector<std::string> learn_vocabulary(const std::vector<std::string>& files, const VocabularyOptions& options);

/// The vocabulary of `size` tokens for counted words: the special tokens, the characters that begin and those that
/// continue words, then pieces. The most frequent pair of neighbouring pieces becomes a piece, again and again; of
/// equally frequent pairs the one of older pieces. It ends early where no pair occurs twice. Of more than 1,000
/// characters the rarest, as long as they make up at most a hundred-thousandth of the text, are left out with the words
/// they are in. Source: Sennrich et al. 2016 (arXiv:1508.07909) §3.2, with WordPiece's continuation pieces. Throws
/// ConfigError where there is no word or `size` is smaller than the special tokens and characters.
std::vector<std::string> learn_pieces(std::span<const CountedWord> words, int64_t size);

}  // namespace bertha
