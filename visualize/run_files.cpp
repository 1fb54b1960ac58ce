#include "visualize/run_files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/checkpoint/checkpoint.h"
#include "train/config_tree.h"
#include "train/metrics.h"
#include "train/run_facts.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr uint64_t kLargestResults = 1 << 20, kLargestAnalysis = 1 << 24;

// ---- JSON

Json read_json(const std::string& path, uint64_t limit) {
  const Json json = Json::parse(read_text(path, limit), nullptr, /*allow_exceptions=*/false);
  check<DamagedFileError>(json.is_object(), path, ": is no JSON object");
  return json;
}

void read_facts(const std::string& directory, RunFiles& files) {
  const std::vector<RunFact> facts = read_run_facts(directory);
  for (const RunFact& fact : facts) files.facts.emplace_back(fact.name, fact.text);
  files.unigram_entropy = find_number(facts, "unigram_entropy");
  files.most_frequent_share = find_number(facts, "most_frequent_share");
}

void read_results(const std::string& path, RunFiles& files) {
  const Json json = read_json(path, kLargestResults);
  for (const auto& [part, metrics] : json.items()) {
    NamedScores numbers;
    if (!metrics.is_object()) continue;
    for (const auto& [name, value] : metrics.items()) {
      if (value.is_number() || value.is_null()) numbers.emplace_back(name, value.is_null() ? NAN : value.get<double>());
    }
    if (!numbers.empty()) files.results.emplace_back(part, std::move(numbers));
  }
}

// ---- The directory

class Reader {
 public:
  Reader(const std::string& directory, RunFiles& files) : directory_(directory), files_(files) {}

  // Reads a file by `use(path)`; says so where it is missing, though it should be there, or damaged.
  template <class F>
  void read(std::string_view name, bool expected, F&& use) {
    const std::string path = directory_ + "/" + std::string(name);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      if (expected) files_.notes.push_back(std::string(name) + ": is missing");
      return;
    }
    try {
      use(path);
    } catch (const DamagedFileError& error) {
      files_.notes.emplace_back(error.what());
    } catch (const ConfigError& error) {
      files_.notes.emplace_back(error.what());
    }
  }

 private:
  const std::string& directory_;
  RunFiles& files_;
};

}  // namespace

const std::string* find_text(const NamedTexts& texts, std::string_view name) {
  const auto found = std::ranges::find(texts, name, &NamedTexts::value_type::first);
  return found == texts.end() ? nullptr : &found->second;
}

RunFiles read_run_files(const std::string& directory) {
  RunFiles files;
  std::error_code ignored;
  files.has_model = fs::exists(directory + "/model/" + std::string(kWeightsName), ignored);
  Reader reader(directory, files);
  reader.read(kMetricsName, true, [](const std::string&) {});
  reader.read("config.yaml", true,
              [&](const std::string& path) { files.configuration = flat_config(read_config_file(path)); });
  reader.read(kRunFactsName, true, [&](const std::string&) { read_facts(directory, files); });
  const bool is_finished_finetuning = files.has_model && find_text(files.configuration, "data.train") != nullptr;
  reader.read("results.json", is_finished_finetuning, [&](const std::string& path) { read_results(path, files); });
  reader.read(kAnalysisName, is_finished_finetuning, [&](const std::string& path) {
    files.analyses = parse_analyses(read_text(path, kLargestAnalysis), path);
  });
  return files;
}

}  // namespace bertha
