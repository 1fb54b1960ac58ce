#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/core/random.h"
#include "data/corpus.h"
#include "data/shard.h"
#include "data/tokenizer.h"

namespace bertha {

/// The documents of a block as token ids, without special tokens; lines and documents that have none are left out.
struct TokenizedText {
  std::vector<int32_t> ids;
  std::vector<int32_t> line_ends{0};      // line i is ids [i], [i + 1)
  std::vector<int32_t> document_ends{0};  // document i is lines [i], [i + 1)
  int64_t documents = 0;                  // that begin in the text, those left out included

  std::span<const int32_t> line(int64_t i) const {
    return std::span(ids).subspan(line_ends[i], line_ends[i + 1] - line_ends[i]);
  }
};

/// Puts the tokens of a block into `text`, in the memory it has. A word that goes on for 64 KiB without a blank is cut
/// there.
void tokenize_block(const CorpusBlock& block, const Tokenizer& tokenizer, TokenizedText& text);

struct SpecialIds {
  int32_t cls, sep;
};

/// Receives finished sequences.
using SequenceSink = std::function<void(const Sequence&)>;

inline constexpr int64_t kMaxSequenceLength = 65535;
/// The shortest that has room for a token of text, or for one of each segment.
int64_t min_sequence_length(Objective objective);

/// Packs whole lines: `[CLS] line line ... [SEP]`, with `[SEP]` between documents. A line that does not fit into what
/// is left starts the next sequence; a line longer than a whole sequence is cut, and its pieces fill sequences. Every
/// token is kept, in order. Source: Liu et al. 2019 (arXiv:1907.11692) §4.2, "full-sentences".
void pack_full_sentences(const TokenizedText& text, SpecialIds special, int64_t sequence_length,
                         const SequenceSink& sink);

/// Pairs of segments: `[CLS] A [SEP] B [SEP]`. A and B are consecutive sentences of one document, parted at random; in
/// half of the pairs B is instead taken from a random place of another document of the block, and the sentences it
/// displaces are used again. One pair in ten is of a random shorter length.
///
/// Differences to the published code, so that every token of every document is kept and half of the pairs are true:
/// - Sentences are only taken while they fit, so that no pair has to be truncated; only a B that was taken from another
///   document ends where the room does.
/// - Lines longer than half of the room are cut evenly into pieces that serve as sentences, and so is the only line of
/// a
///   document, for one sentence alone can have no true next one.
/// - The last sentence of a document may be left over alone; it gets a random B, and a later pair is true to make up.
/// - Where the block holds a single document all pairs are true, and a last token that is left over alone is dropped.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) §3.1 and A.2, and create_pretraining_data.py of its published code.
void pair_segments(const TokenizedText& text, SpecialIds special, int64_t sequence_length, RandomStream stream,
                   const SequenceSink& sink);

}  // namespace bertha
