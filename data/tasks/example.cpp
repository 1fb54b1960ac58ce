#include "data/tasks/example.h"

#include <algorithm>

namespace bertha {
namespace {

void append_example(PackedBatch& batch, const TaskExample& example, int64_t first_number) {
  const auto first_row = static_cast<int32_t>(batch.tokens());
  for (const TaskSequence& sequence : example.sequences) {
    append_tokens(batch, sequence.ids, sequence.second_begin, first_number++);
  }
  for (const int32_t row : example.rows) batch.labelled_rows.push_back(first_row + row);
  batch.row_labels.insert(batch.row_labels.end(), example.row_labels.begin(), example.row_labels.end());
  batch.targets.insert(batch.targets.end(), example.targets.begin(), example.targets.end());
  batch.sequence_labels.push_back(example.label);
  batch.starts.push_back(example.start < 0 ? -1 : first_row + example.start);
  batch.ends.push_back(example.end < 0 ? -1 : first_row + example.end);
  batch.sets.push_back(static_cast<int32_t>(batch.sequences()));
}

}  // namespace

SampleSource example_source(std::shared_ptr<const std::vector<TaskExample>> examples) {
  const int64_t size = std::ssize(*examples);
  int64_t most_sequences = 1;
  for (const TaskExample& example : *examples) most_sequences = std::max(most_sequences, std::ssize(example.sequences));
  return {size, 1,
          [examples = std::move(examples), most_sequences](PackedBatch& batch, int64_t index, const RandomStream&) {
            append_example(batch, (*examples)[static_cast<size_t>(index)], index * most_sequences);
          }};
}

}  // namespace bertha
