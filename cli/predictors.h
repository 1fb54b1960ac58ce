#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
  Pooling pooling = Pooling::kMean;
  std::string word;        // of embedding and similarity: the word whose vector is meant
  std::string candidates;  // of similarity: a file of lines to search
  std::string output;      // of embedding: an .npy file
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

  /// One reply an input. Throws ConfigError for an input that lacks a text.
  virtual std::vector<Reply> predict(std::span<const PredictInput> inputs) = 0;

  /// After the last input.
  virtual void finish() {}
};

/// The predictor of the asked task, or of the one the model was trained for. Throws MismatchError where the model has
/// no head for it.
std::unique_ptr<Predictor> make_predictor(const PredictOptions& options);

}  // namespace bertha
