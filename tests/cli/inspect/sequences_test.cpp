#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "data/shard.h"
#include "data/wordpiece.h"
#include "tests/cli/inspect/inspect_fixture.h"
#include "tests/data/premasked_file.h"
#include "train/inspect/sample_text.h"

namespace bertha {
namespace {

TEST_F(InspectShardsTest, ShowsWhatTheManifestSays) {
  const nlohmann::json report = sequences_json(shards_);
  EXPECT_EQ(report["kind"], "shard directory");
  EXPECT_EQ(report["sequence_length"], 16);
  EXPECT_EQ(report["documents"], 2);
  EXPECT_EQ(report["tokens"], report["manifest"]["shards"][0]["tokens"]);
  const nlohmann::json one = sequences_json(shard_);
  EXPECT_EQ(one["kind"], "shard");
  EXPECT_EQ(one["shard"], report["manifest"]["shards"][0]);
  EXPECT_EQ(one["sequences"], report["sequences"]);
  expect_part(inspect(shards_).out, "\nsequence length              16\n");
}

TEST_F(InspectShardsTest, RefusesADamagedManifestAndAFileItDoesNotList) {
  write_bytes(shards_ + "/stray.h5", "");
  EXPECT_EQ(inspect(shards_ + "/stray.h5").exit_code, 2);
  EXPECT_EQ(inspect("verify " + shards_ + "/stray.h5").exit_code, 2);
  for (const std::string& damaged : {std::string("{\"shards\": "), "{\"shards\": " + std::string(1'000'000, '[')}) {
    write_bytes(shards_ + "/manifest.json", damaged);
    EXPECT_EQ(inspect(shards_).exit_code, 3);
  }
}

TEST_F(InspectShardsTest, CountsTokensWithTheVocabularyItFinds) {
  const nlohmann::json report = sequences_json(shards_);
  EXPECT_EQ(report["vocabulary"], parent_ / "vocab.txt");
  // tide came in . tide [UNK] [UNK] .
  EXPECT_EQ(report["unknown_share"], 0.25);
  EXPECT_EQ(report["tokens_in_use"], 4);
  EXPECT_NEAR(report["unigram_entropy"].get<double>(), -2.0 / 3 * std::log(1.0 / 3) - 1.0 / 3 * std::log(1.0 / 6),
              1e-12);
}

TEST_F(InspectShardsTest, SaysThatNoVocabularyIsThere) {
  std::filesystem::remove(parent_ / "vocab.txt");
  const nlohmann::json report = sequences_json(shards_);
  EXPECT_TRUE(report["vocabulary"].is_null());
  EXPECT_TRUE(report["samples"].empty());
  expect_part(inspect(shards_).out, "not found beside or above");
}

TEST_F(InspectShardsTest, TakesNoOtherVocabulary) {
  const std::string other = parent_ / "other.txt";
  write_bytes(other, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nsea\n");
  EXPECT_EQ(inspect(shards_ + " --vocab " + other).exit_code, 4);
  std::filesystem::create_symlink(parent_ / "around", parent_ / "around");
  expect_part(inspect(shards_ + " --vocab " + (parent_ / "around")).err, "/around: cannot be looked at: ");
  std::filesystem::rename(other, parent_ / "vocab.txt");
  EXPECT_TRUE(sequences_json(shards_)["vocabulary"].is_null()) << "one that is only found is passed over";
}

TEST_F(InspectShardsTest, ShowsSequencesWithTheMasksOfTraining) {
  ShardSet shards(shards_);
  const WordPiece tokenizer = WordPiece::read(parent_ / "vocab.txt", true);
  const Masker masker({}, tokenizer);
  const nlohmann::json samples = sequences_json(shards_ + " --samples 9")["samples"];
  ASSERT_EQ(std::ssize(samples), shards.size());
  for (int64_t i = 0; i < shards.size(); ++i) {
    const SampleText expected = sample_text(tokenizer, masker(shards.sequence(i), training_masks(5, 0, i)));
    EXPECT_EQ(samples[i]["sequence"], i);
    EXPECT_EQ(samples[i]["masked"], expected.masked);
    EXPECT_EQ(samples[i]["to_predict"], expected.to_predict);
  }
  expect_part(samples[0]["text"], "[CLS] tide came in.");
  EXPECT_TRUE(sequences_json(shards_ + " --samples 0")["samples"].empty());
  expect_part(inspect(shards_).out, "\n  [CLS] tide came in.");
}

TEST_F(InspectShardsTest, MasksAsTheRunAboveDoes) {
  write_bytes(parent_ / "config.yaml",
              "model: {preset: tiny, vocab_size: 10}\ntask: mlm\n"
              "data: {shards: shards, vocab: vocab.txt, sequence_length: 16}\n"
              "masking: {probability: 1, mask: 1, random: 0, keep: 0}\ntraining: {steps: 1}\noutput: run\n");
  const nlohmann::json samples = sequences_json(shards_)["samples"];
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0]["to_predict"], (std::vector<std::string>{"tide", "came", "in", ".", "tide", "."}));
}

TEST_F(InspectShardsTest, CountsLengths) {
  const nlohmann::json report = sequences_json(shards_ + " --stats");
  ASSERT_EQ(report["length_counts"].size(), 17u);
  int64_t tokens = 0, sequences = 0;
  for (size_t length = 0; length < 17; ++length) {
    sequences += report["length_counts"][length].get<int64_t>();
    tokens += static_cast<int64_t>(length) * report["length_counts"][length].get<int64_t>();
  }
  EXPECT_EQ(sequences, report["sequences"]);
  EXPECT_EQ(tokens, report["tokens"]);
  EXPECT_FALSE(sequences_json(shards_).contains("length_counts"));
  expect_part(inspect(shards_ + " --stats").out, "\nlengths   ");
}

TEST_F(InspectShardsTest, FindsDamageBeforeItShowsASequence) {
  flip_last_byte(shard_);
  EXPECT_EQ(inspect(shards_ + " --samples 0").exit_code, 0) << "the manifest says it";
  const CommandResult result = inspect(shards_);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "");
}

class InspectPremaskedTest : public InspectShardsTest {
 protected:
  InspectPremaskedTest() {
    std::filesystem::create_directory(folder_);
    write_premasked(folder_ + "/part.hdf5", two_samples());
    write_bytes(vocab_, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nw0\nw1\nw2\nw3\nw4\nw5\nw6\n");
  }

  const std::string folder_ = parent_ / "masked", vocab_ = parent_ / "words.txt";
};

TEST_F(InspectPremaskedTest, NamesTheFiles) {
  const nlohmann::json report = sequences_json(folder_);
  EXPECT_EQ(report["kind"], "directory of masked samples");
  EXPECT_EQ(report["files"][0]["name"], "part.hdf5");
  EXPECT_TRUE(report["sequences"].is_null());
  EXPECT_EQ(inspect(folder_ + " --stats").exit_code, 2) << "it takes the vocabulary";
}

TEST_F(InspectPremaskedTest, ShowsSamplesWithTheMasksTheyHave) {
  const nlohmann::json report = sequences_json(folder_ + " --stats --vocab " + vocab_);
  EXPECT_EQ(report["sequences"], 2);
  EXPECT_EQ(report["tokens"], 14);
  EXPECT_EQ(report["length_counts"], (std::vector<int>{0, 0, 0, 0, 0, 0, 1, 0, 1}));
  EXPECT_EQ(report["samples"][0]["text"], "[CLS] w0 w3 [SEP] w5 [SEP]");
  EXPECT_EQ(report["samples"][0]["masked"], "[CLS] w0 [MASK] [SEP] w5 [SEP]");
  EXPECT_EQ(report["samples"][0]["to_predict"], (std::vector<std::string>{"w3"}));
}

TEST_F(InspectPremaskedTest, RefusesADamagedFile) {
  write_bytes(folder_ + "/part.hdf5", "\x89HDF\r\n\x1a\n and nothing behind");
  const CommandResult result = inspect(folder_ + " --vocab " + vocab_);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.err.find("bertha: " + folder_ + "/part.hdf5: "), 0u) << result.err;
}

}  // namespace
}  // namespace bertha
