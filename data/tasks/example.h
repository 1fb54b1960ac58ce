#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/sequence_source.h"

namespace bertha {

/// Ids with special tokens; from `second_begin` on they are of the second text.
struct TaskSequence {
  std::vector<int32_t> ids;
  int32_t second_begin = 0;
};

/// [begin, end) in the code points of a text.
struct CodePoints {
  int32_t begin = 0, end = 0;

  bool operator==(const CodePoints&) const = default;
};

/// One thing that a task decides about, as the model reads it, and what is right where that is known.
struct TaskExample {
  std::vector<TaskSequence> sequences;  // one, or one for each of a set of choices
  std::vector<int32_t> rows;            // of the first sequence: the first pieces of words, rising
  std::vector<int32_t> words;           // which word of its sentence each of `rows` begins
  std::vector<int32_t> row_labels;      // tags of `rows`
  std::vector<float> targets;           // scores, or 0 and 1 for several labels
  int32_t label = -1;                   // class, intent, or place of the right choice
  int32_t start = -1, end = -1;         // rows of an answer's first and last token; both 0: it is not in here; -1: not
                                        // known
  std::vector<CodePoints> offsets;      // of each token in the context; empty ranges elsewhere
  int64_t item = 0;                     // the row, sentence or question of the file it is from, or a part of
  bool is_cut = false;  // a text is not in any window as a whole; of a question's windows the first says
};

/// Samples of training and evaluation. Row keys tell all sequences of all samples apart.
SampleSource example_source(std::shared_ptr<const std::vector<TaskExample>> examples);

}  // namespace bertha
