// The binary itself, with the layer in LD_PRELOAD.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/cli/run_bertha.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

/// A recipe of four steps with a checkpoint at each, of which one is kept; its parameter is the command.
class CommandFaults : public testing::TestWithParam<std::string> {
 protected:
  CommandFaults() {
    std::string text, rows = "text\tlabel\n";
    for (int i = 0; i < 40; ++i) {
      text += "the bird sings in the old tree .\na fish swims under cold water .\n\n";
      rows += i % 2 ? "the bird sings .\tair\n" : "a fish swims .\twater\n";
    }
    write_bytes(folder_ / "text", text);
    write_bytes(folder_ / "rows.tsv", rows);
    const std::string pretraining =
        "model: {vocab_size: 60, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, "
        "intermediate_size: 32, max_position_embeddings: 16}\n"
        "task: mlm\n"
        "data: {text: ['" +
        (folder_ / "text") + "'], sequence_length: 16}\n";
    if (GetParam() == "pretrain") {
      write_configuration(pretraining, "steps: 4", run_);
      return;
    }
    const std::string start = folder_ / "start";
    write_configuration(pretraining, "steps: 1", start);
    EXPECT_EQ(run_recipe("pretrain", "").exit_code, 0);
    write_configuration("model: {initialize_from: '" + start +
                            "/model'}\n"
                            "task: sequence_classification\n"
                            "data: {train: '" +
                            (folder_ / "rows.tsv") + "', validation: '" + (folder_ / "rows.tsv") +
                            "', sequence_length: 16}\n"
                            "evaluation: {every_steps: 2}\n",
                        "epochs: 1", run_);
  }

  void write_configuration(const std::string& recipe, const std::string& length, const std::string& output) const {
    write_bytes(folder_ / "config.yaml", recipe + "training: {" + length +
                                             ", global_batch_size: 10, micro_batch_size: 10, learning_rate: 1e-3}\n"
                                             "checkpoint: {every_steps: 1, keep: 1}\n"
                                             "output: '" +
                                             output + "'\n");
  }

  CommandResult run_recipe(const std::string& command, const std::string& environment) const {
    return run_command(
        "OMP_NUM_THREADS=1 " + environment + " " BERTHA_BINARY " " + command + " " + (folder_ / "config.yaml"), "");
  }

  CommandResult run_with(const std::string& kind, int64_t at) const {
    fs::remove_all(run_);
    fs::remove(trace_);
    fs::create_directory(run_);
    return run_recipe(GetParam(), "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 LD_PRELOAD=" BERTHA_FAULT_LAYER
                                  " BERTHA_FAULT_DIRECTORY=" +
                                      run_ + " BERTHA_FAULT_TRACE=" + trace_ + " BERTHA_FAULT_KIND=" + kind +
                                      " BERTHA_FAULT_AT=" + std::to_string(at));
  }

  /// What a run is for: the model and, of fine-tuning, its scores.
  std::string outcome() const {
    const std::string scores = run_ + "/results.json";
    return bytes_of(run_ + "/model/model.safetensors") + (fs::exists(scores) ? bytes_of(scores) : "");
  }

  /// Resumes, and compares with a run that nothing befell.
  void expect_same_end(const std::string& expected) const {
    const CommandResult again = run_recipe(GetParam(), "");
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(outcome(), expected);
    for (const auto& entry : fs::recursive_directory_iterator(run_)) {
      EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
    }
  }

  TemporaryDirectory folder_;
  std::string run_ = folder_ / "run", trace_ = folder_ / "trace";
};

TEST_P(CommandFaults, ARunResumesFromWhatAnyFaultLeaves) {
  const char* every = std::getenv("BERTHA_EVERY_FAULT");
  const CommandResult whole = run_with("''", 0);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const std::string expected = outcome();
  const std::string trace = bytes_of(trace_);
  const int64_t calls = std::ranges::count(trace, '\n');
  ASSERT_GT(calls, 100);
  const int64_t stride = every ? 1 : calls / 3;
  for (int64_t at = stride; at <= calls; at += stride) {
    for (const std::string kind : {"kill", "lose"}) {
      SCOPED_TRACE(kind + " at call " + std::to_string(at));
      EXPECT_NE(run_with(kind, at).exit_code, 0);
      expect_same_end(expected);
    }
    for (const std::string kind : {"enospc-on", "eio-on"}) {
      SCOPED_TRACE(kind + " at call " + std::to_string(at));
      const CommandResult result = run_with(kind, at);
      if (result.exit_code == 0) {  // nothing that matters needed space any more
        EXPECT_EQ(outcome(), expected);
        continue;
      }
      EXPECT_EQ(result.exit_code, 1) << result.err;
      const size_t begin = result.err.rfind("\nbertha: ") + 1;
      const std::string sentence = result.err.substr(begin);
      EXPECT_TRUE(sentence.starts_with("bertha: " + run_)) << result.err;
      EXPECT_EQ(std::ranges::count(sentence, '\n'), 1) << result.err;
      expect_same_end(expected);
    }
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, CommandFaults, testing::Values("pretrain", "finetune"),
                         [](const auto& command) { return command.param; });

}  // namespace
}  // namespace bertha
