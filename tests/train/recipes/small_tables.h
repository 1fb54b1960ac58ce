#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/temporary_directory.h"
#include "train/comm/self_communicator.h"
#include "train/finetune_config.h"
#include "train/recipes/finetune.h"

namespace bertha {

/// A folder with tables of a few sentences, whose labels are the places in them, and a configuration that makes two
/// steps of them.
class SmallTables : public ::testing::Test {
 protected:
  static constexpr const char* kModel = BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_mlm";

  void SetUp() override {
    write("train.tsv", "sea", "hill", 8);
    write("dev.tsv", "sea", "hill", 4);
  }

  void write(const std::string& name, const std::string& label, const std::string& other, int rows) const {
    std::ofstream file(folder_ / name);
    file << "text\tlabel\n";
    for (int row = 0; row < rows; ++row) {
      file << "the fox by the " << (row % 2 ? "sea" : "hill") << "\t" << (row % 2 ? label : other) << "\n";
    }
  }

  FinetuneConfig config(const std::vector<std::string>& overrides = {}) const {
    const std::string yaml = "model: {initialize_from: '" + std::string(kModel) +
                             "'}\ntask: sequence_classification\ndata: {train: '" + (folder_ / "train.tsv") +
                             "', sequence_length: 16}\n"
                             "training: {steps: 2, global_batch_size: 4, micro_batch_size: 4, learning_rate: 3e-3}\n"
                             "evaluation: {every_steps: 1}\noutput: '" +
                             (folder_ / "run") + "'\n";
    return parse_finetune_config(yaml, "config.yaml", overrides);
  }
  std::string validated() const { return "data.validation=" + (folder_ / "dev.tsv"); }

  /// A model whose labels are called so, by number.
  std::string model_of_labels(const std::string& name, const std::vector<std::string>& labels) const {
    SelfCommunicator self;
    finetune(config({"output=" + (folder_ / name)}), self, silent());
    const std::string directory = folder_ / (name + "/model"), path = directory + "/config.json";
    std::ifstream file(path);
    auto json = nlohmann::ordered_json::parse(file);
    json["id2label"].clear();
    for (size_t i = 0; i < labels.size(); ++i) json["id2label"][std::to_string(i)] = labels[i];
    std::ofstream(path) << json.dump();
    std::filesystem::remove(directory + "/MANIFEST.json");  // which says what the file was
    return directory;
  }

  static RunEvents silent() {
    return {.note = [](const std::string&) {}, .metrics = [](const MetricsLine&, int64_t) {}};
  }
  /// Keeps what is said.
  RunEvents listening() {
    return {.note = [this](const std::string& note) { notes_ += note + "\n"; },
            .metrics = [](const MetricsLine&, int64_t) {}};
  }

  TemporaryDirectory folder_;
  std::string notes_;
};

}  // namespace bertha
