#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/inspect/options.h"
#include "cli/inspect/subject.h"
#include "data/masking.h"
#include "data/tokenizer.h"
#include "data/unigram.h"
#include "train/inspect/sample_text.h"

namespace bertha {

/// One sequence as it is shown.
struct ShownSample {
  int64_t number = 0;  // of the sequence, from 0
  int64_t tokens = 0;
  int32_t next_sentence_label = -1;
  SampleText text;
};

/// All that is said of shards, or of samples that were masked elsewhere; what is not known is left out.
struct SequenceView {
  Subject subject;
  std::string manifest = {};                                 // what it says, as JSON; of one shard its entry
  std::vector<std::pair<std::string, uint64_t>> files = {};  // names and bytes
  std::optional<std::string> objective = {};
  std::optional<int64_t> sequence_length = {}, sequences = {}, tokens = {}, documents = {}, text_bytes = {};
  std::optional<uint64_t> seed = {};
  std::string vocabulary = {};  // where it was found
  std::optional<double> unknown_share = {};
  std::optional<Unigram> unigram = {};
  std::optional<std::vector<int64_t>> length_counts = {};  // by length, with --stats
  std::vector<ShownSample> samples = {};
};

/// As many of `size` sequences as --samples asks for, evenly spread; `read` gives them, masked, by number.
std::vector<ShownSample> shown_samples(const InspectOptions& options, const Tokenizer& tokenizer, int64_t size,
                                       const std::function<MaskedSequence(int64_t number)>& read);

/// The frequencies of ordinary tokens, and how many of all are unknown words.
void count_tokens(const std::vector<int64_t>& counts, const Tokenizer& tokenizer, SequenceView& view);

/// Prints the report, as JSON or for people.
void print(const SequenceView& view, const InspectOptions& options);

}  // namespace bertha
