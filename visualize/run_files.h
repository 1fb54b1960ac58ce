#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/recipes/analysis_file.h"

namespace bertha {

/// Names and what they stand for, in the order of a file.
using NamedTexts = std::vector<std::pair<std::string, std::string>>;
using NamedScores = std::vector<std::pair<std::string, double>>;

/// Null where there is none of the name.
const std::string* find_text(const NamedTexts& texts, std::string_view name);

/// What the files of a run directory say beside its history.
struct RunFiles {
  NamedTexts configuration;                                    // config.yaml: `training.steps`, `1000`
  NamedTexts facts;                                            // run.json: the machine and the model
  std::optional<double> unigram_entropy, most_frequent_share;  // of run.json
  std::vector<std::pair<std::string, NamedScores>> results;    // results.json: of validation and test, their metrics
  TaskAnalyses analyses;                                       // analysis.json
  bool has_model = false;
  std::vector<std::string> notes;  // a sentence for each file that is missing or damaged
};

/// Throws nothing but Error where the system fails.
RunFiles read_run_files(const std::string& directory);

}  // namespace bertha
