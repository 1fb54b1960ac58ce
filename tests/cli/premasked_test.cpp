#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autograd/core/random.h"
#include "tests/cli/run_bertha.h"
#include "tests/data/premasked_file.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

/// 32 samples in two files: what is hidden is the word before, and the second segment's word tells the label.
class Premasked : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "masked");
    write(0, 9);
    write(1, 9);
    std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\n";
    std::ofstream(folder_ / "config.yaml")
        << "model: {vocab_size: 12, hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, "
           "intermediate_size: 64, max_position_embeddings: 16, hidden_dropout_prob: 0, "
           "initializer_range: 0.1}\n"
           "task: mlm_nsp\n"
           "data: {shards: '"
        << (folder_ / "masked") << "', vocab: '" << (folder_ / "vocab.txt") << "', sequence_length: 8}\n"
        << "training: {steps: 60, global_batch_size: 8, micro_batch_size: 4, learning_rate: 1e-2}\n"
           "checkpoint: {every_steps: 20, keep: 3}\n"
           "output: '"
        << (folder_ / "run") << "'\n";
  }

  void write(int file, int64_t second_word) const {
    constexpr hsize_t kRows = 16;
    PremaskedFile tables{{"input_ids", {{kRows, 8}, {}}},     {"input_mask", {{kRows, 8}, {}}},
                         {"segment_ids", {{kRows, 8}, {}}},   {"masked_lm_positions", {{kRows, 2}, {}}},
                         {"masked_lm_ids", {{kRows, 2}, {}}}, {"next_sentence_labels", {{kRows}, {}}}};
    const auto append = [&](const char* table, std::initializer_list<int64_t> values) {
      tables.at(table).values.insert(tables.at(table).values.end(), values);
    };
    for (int64_t row = 0; row < int64_t{kRows}; ++row) {
      const int64_t label = row / 4 % 2, first = 5 + row % 4, second = second_word + label;
      append("input_ids", {2, first, 4, 3, second, second, 3, 0});
      append("input_mask", {1, 1, 1, 1, 1, 1, 1, 0});
      append("segment_ids", {0, 0, 0, 0, 1, 1, 1, 0});
      append("masked_lm_positions", {2, 0});
      append("masked_lm_ids", {first, 0});
      append("next_sentence_labels", {label});
    }
    write_premasked(folder_ / ("masked/training_" + std::to_string(file) + ".hdf5"), tables);
  }

  CommandResult pretrain(const std::string& arguments) const {
    return run_bertha("pretrain " + (folder_ / "config.yaml") + " " + arguments, "");
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  nlohmann::json last_step(const std::string& run) const {
    nlohmann::json last;
    std::istringstream stream(read(run + "/metrics.jsonl"));
    for (std::string line; std::getline(stream, line);) {
      const auto object = nlohmann::json::parse(line);
      if (object["phase"] == "train") last = object;
    }
    return last;
  }

  TemporaryDirectory folder_;
};

TEST_F(Premasked, LearnsBothTasksAndResumesToTheSameBytes) {
  const CommandResult result = pretrain("");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("was masked when it was made"), std::string::npos) << result.err;
  const nlohmann::json last = last_step("run");
  EXPECT_GT(last.at("mlm_accuracy"), 0.9) << last;
  EXPECT_GT(last.at("nsp_accuracy"), 0.9) << last;
  EXPECT_EQ(last.at("tokens"), 60 * 8 * 7) << "padding is dropped";

  const std::string whole = read("run/model/model.safetensors");
  for (const char* part : {"model", "checkpoints/step-00000060", "checkpoints/step-00000040", "checkpoints/latest"}) {
    fs::remove_all(folder_ / (std::string("run/") + part));
  }
  std::ofstream(folder_ / "run/checkpoints/latest") << "step-00000020\n";
  ASSERT_EQ(pretrain("").exit_code, 0);
  EXPECT_EQ(read("run/model/model.safetensors"), whole);
}

TEST_F(Premasked, TaskMlmLeavesTheLabelsOut) {
  const CommandResult result = pretrain("task=mlm training.steps=3");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(last_step("run").contains("mlm_loss"));
  EXPECT_FALSE(last_step("run").contains("nsp_loss"));
}

TEST_F(Premasked, ADryRunCountsAndChecksThem) {
  const CommandResult plan = pretrain("--dry-run");
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_NE(plan.out.find("data: 32 sequences, 224 tokens"), std::string::npos) << plan.out;
  EXPECT_EQ(pretrain("--dry-run data.sequence_length=16").exit_code, 4);
  write(1, 12);
  const CommandResult damaged = pretrain("--dry-run");
  EXPECT_EQ(damaged.exit_code, 4) << damaged.err;
  EXPECT_EQ(damaged.err, "bertha: " + (folder_ / "masked/training_1.hdf5") +
                             ": data set 'input_ids' holds in row 0 the token id 12, "
                             "which is outside the vocabulary of 12 tokens\n");
}

TEST_F(Premasked, OtherDataDoesNotResume) {
  ASSERT_EQ(pretrain("training.steps=3").exit_code, 0);
  write(1, 8);
  const CommandResult result = pretrain("training.steps=6");
  EXPECT_EQ(result.exit_code, 4) << result.err;
}

/// Where a local heap of the file has the list of its free blocks.
size_t free_list_of(const std::string& bytes) {
  constexpr size_t kFreeListField = 16, kDataField = 24;
  const size_t heap = bytes.find("HEAP");
  uint64_t first = 0, data = 0;
  std::memcpy(&first, bytes.data() + heap + kFreeListField, sizeof first);
  std::memcpy(&data, bytes.data() + heap + kDataField, sizeof data);
  return static_cast<size_t>(data + first);
}

TEST_F(Premasked, ALibraryThatGoesRoundInCirclesIsASentence) {
  const std::string path = folder_ / "masked/training_1.hdf5";
  std::string bytes = read("masked/training_1.hdf5");
  const size_t block = free_list_of(bytes);
  uint64_t first = 0;
  std::memcpy(&first, bytes.data() + bytes.find("HEAP") + 16, sizeof first);
  std::memcpy(bytes.data() + block, &first, sizeof first);  // the block behind it is itself
  std::ofstream(path, std::ios::binary) << bytes;
  const CommandResult result = pretrain("--dry-run");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.err.find("bertha: " + path + ": "), 0u) << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
}

TEST_F(Premasked, EveryChangedFileIsReadOrRefusedInASentence) {
  const std::string path = folder_ / "masked/training_1.hdf5";
  const std::string sound = read("masked/training_1.hdf5");
  RandomStream random(1, "test");
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    std::string bytes = sound;
    for (uint32_t changes = 1 + random.below(4); changes > 0; --changes) {
      constexpr std::array<unsigned char, 6> kBytes = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
      bytes[random.below(static_cast<uint32_t>(bytes.size()))] = static_cast<char>(kBytes[random.below(6)]);
    }
    std::ofstream(path, std::ios::binary) << bytes;
    const CommandResult result = run_bertha("check-premasked '" + path + "' 12 mlm_nsp", "");
    const bool ended_itself = result.exit_code == 0 || result.exit_code == 3 || result.exit_code == 4;
    if (result.exit_code == 0) continue;
    ++refused;
    if (ended_itself) {
      EXPECT_EQ(result.out.find(path + ": "), 0u) << result.out;
    } else {
      const CommandResult run = pretrain("--dry-run");
      EXPECT_EQ(run.exit_code, 3) << run.err;
    }
  }
  EXPECT_GT(refused, 5);
}

}  // namespace
}  // namespace bertha
