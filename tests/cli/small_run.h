#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/background_command.h"
#include "tests/cli/run_bertha.h"

namespace bertha {

/// Runs of `bertha pretrain` that take a second, and their processes.
class SmallRun : public ::testing::Test {
 protected:
  static std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static std::string small_text(int documents) {
    const std::vector<std::string> lines = {
        "the bird sings in the old tree .",     "a fish swims under the cold water .",
        "the horse runs over the green hill .", "a cat sleeps on the warm stone .",
        "the farmer opens the heavy gate .",    "rain falls on the silent village ."};
    std::string text;
    for (int document = 0; document < documents; ++document) {
      for (int line = 0; line < 6; ++line) text += lines[static_cast<size_t>(document * 5 + line * line) % 6] + "\n";
      text += "\n";
    }
    return text;
  }

  void SetUp() override {
    std::ofstream(folder_ / "train.txt") << small_text(60);
    std::ofstream(folder_ / "held-out.txt") << small_text(8);
    std::ofstream(config())
        << "model: {vocab_size: 90, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, "
           "intermediate_size: 64, max_position_embeddings: 32}\n"
           "task: mlm\n"
           "data:\n  text: ['"
        << (folder_ / "train.txt") << "']\n  evaluation_text: ['" << (folder_ / "held-out.txt")
        << "']\n  sequence_length: 24\n"
           "training: {steps: 60, global_batch_size: 16, micro_batch_size: 4, learning_rate: 3e-3}\n"
           "evaluation: {every_steps: 30}\n"
           "checkpoint: {every_steps: 5, keep: 2}\n"
           "output: '"
        << (folder_ / "run") << "'\n";
  }

  std::string config() const { return folder_ / "config.yaml"; }
  std::string output(const std::string& name) const { return " output='" + (folder_ / name) + "'"; }

  static std::string mpirun(int ranks) {
    return "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 " BERTHA_MPIEXEC
           " --oversubscribe --bind-to none -n " +
           std::to_string(ranks) + " ";
  }
  std::string pretrain(const std::string& arguments) const {
    return std::string(BERTHA_BINARY) + " pretrain " + config() + " " + arguments;
  }
  std::string on(int ranks, const std::string& arguments) const {
    return (ranks > 1 ? mpirun(ranks) : "env OMP_NUM_THREADS=1 ") + pretrain(arguments);
  }
  /// For BackgroundCommand, which then is mpirun, or bertha, itself.
  std::string in_background(const std::string& command) const {
    return "exec " + command + " >" + (folder_ / "out") + " 2>" + (folder_ / "err");
  }

  std::string err() const { return read_file(folder_ / "err"); }
  std::string weights(const std::string& run) const { return read_file(folder_ / (run + "/model/model.safetensors")); }

  /// The losses of the training lines of metrics.jsonl; a torn line is passed over.
  std::vector<double> losses(const std::string& run) const {
    std::vector<double> values;
    std::istringstream lines(read_file(folder_ / (run + "/metrics.jsonl")));
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (object.is_object() && object["phase"] == "train") values.push_back(object["loss"]);
    }
    return values;
  }
  bool reaches_step(size_t step, const std::string& run = "run") const {
    return comes_true([&] { return losses(run).size() >= step; });
  }

  /// The runs in this test's folder that are no supervisors.
  std::vector<pid_t> processes() const {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::error_code gone;
      if (std::filesystem::read_symlink(entry.path() / "exe", gone) != BERTHA_BINARY) continue;
      const std::string words = read_file(entry.path() / "cmdline");
      const bool ours = words.find(folder_.path()) != std::string::npos;
      if (ours && words.find("--supervise") == std::string::npos) found.push_back(std::stoi(name));
    }
    return found;
  }
  pid_t process_of_rank(int rank) const {
    const std::string variable = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank) + '\0';
    for (const pid_t process : processes()) {
      if (read_file("/proc/" + std::to_string(process) + "/environ").find(variable) != std::string::npos) {
        return process;
      }
    }
    return 0;
  }
  bool all_end() const {
    return comes_true([&] { return processes().empty(); });
  }

  /// The lines that begin with the program's name: what it says of failures.
  static std::vector<std::string> failure_lines(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("bertha: ") != std::string::npos) found.push_back(line);
    }
    return found;
  }

  static void expect_one_line(const std::string& text, const std::string& pattern) {
    const std::vector<std::string> lines = failure_lines(text);
    ASSERT_EQ(lines.size(), 1u) << text;
    EXPECT_TRUE(std::regex_match(lines[0], std::regex(pattern))) << lines[0];
  }

  TemporaryDirectory folder_;
};

/// What a step's phase may be, as a regular expression.
inline const std::string kAnyPhase = "(load|forward|backward|communication|update|evaluation|checkpoint)";

}  // namespace bertha
