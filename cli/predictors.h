#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/task_lengths.h"
#include "train/recipes/embed.h"
#include "train/task.h"

namespace bertha {

/// What `bertha predict` was asked for.
struct PredictOptions {
  std::string model;
  std::vector<std::string> texts;  // of one input; empty: lines of standard input
  std::optional<Task> task;
  std::optional<int64_t> top_k;  // left out: 5 candidates, but one answer
  bool json = false;
  TaskLengths lengths;             // of fine-tuned tasks
  std::optional<Pooling> pooling;  // of embedding and similarity; left out: the mean
  std::string word;                // of embedding and similarity: the word whose vector is meant
  std::string candidates;          // of similarity: a file of lines to search
  std::string output;              // of embedding: an .npy file
};

/// One input: a text; a text and a pair; a question and a context; a text and its choices.
using PredictInput = std::vector<std::string>;

/// What is said to an input: a JSON value, as `predict --json` prints it, and lines for people to read.
struct Reply {
  std::string json, text;
};

/// Answers inputs with one model.
class Predictor {
 public:
  virtual ~Predictor() = default;

  /// Takes in an input. Throws ConfigError for one of fewer or more texts than the task takes, MismatchError for one
  /// that is too long, DamagedFileError for one that is not UTF-8; as if it had not been there.
  virtual void add(const PredictInput& input) = 0;

  /// One reply for each input since the last call, or none where they go into a file.
  virtual std::vector<Reply> answer() = 0;

  /// After the last input.
  virtual void finish() {}

  /// A sentence about what was left out of the inputs, or nothing.
  virtual std::string note() const { return {}; }
};

/// The predictor of the asked task, or of the one the model was trained for. Throws MismatchError where the model has
/// no head for it, ConfigError for an option that the task has no use for.
std::unique_ptr<Predictor> make_predictor(const PredictOptions& options);

}  // namespace bertha
