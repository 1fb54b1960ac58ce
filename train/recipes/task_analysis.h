#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/tasks/example.h"
#include "train/recipes/task_file.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_set.h"
#include "train/scores/match_counts.h"

namespace bertha {

/// What a model gets right and wrong on a file of examples, for people to read; bounded, however large the file is.
struct TaskAnalysis {
  /// By label, intent, or type of entity: those of the most support.
  struct Table {
    std::string of;  // "label", "intent" or "type"
    std::vector<std::pair<std::string, MatchCounts>> rows;
  };
  /// How many examples, or spans, of a gold label got which label: the most frequent pairs.
  struct Cell {
    int32_t gold = 0, predicted = 0;  // places in `labels`
    int64_t count = 0;
  };
  /// One wrong decision.
  struct Mistake {
    std::string where;            // its line, or the question's id
    std::string kind;             // of spans: as to_text(SpanErrorKind) says; of intents "intent"; else empty
    std::string text, pair;       // cut where they are long
    std::string gold, predicted;  // labels, or answers
    std::optional<CodePoints> gold_place, predicted_place;  // in the text
    double score = 0;          // how sure the model was, as a probability; of numbers, the difference
    std::optional<double> f1;  // of answers
  };

  int64_t items = 0;
  std::vector<Table> tables;
  std::vector<std::string> labels;  // an empty name stands for none: no entity, no answer
  std::vector<Cell> confusion;
  std::vector<std::pair<std::string, int64_t>> kinds;  // how many mistakes there are of each
  int64_t mistakes_found = 0;
  std::vector<Mistake> mistakes;  // those of the highest scores, highest first
};

inline constexpr size_t kMostMistakes = 100;
inline constexpr size_t kMostTableRows = 500;
inline constexpr size_t kMostCells = 10'000;

/// `file` is what `set` was made from.
TaskAnalysis analyze_task(const TaskDescription& description, const TaskFile& file, const TaskSet& set,
                          std::span<const TaskOutputs> outputs);

}  // namespace bertha
