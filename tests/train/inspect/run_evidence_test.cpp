#include "train/inspect/run_evidence.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "autograd/core/error.h"
#include "data/sharder.h"
#include "data/wordpiece.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

class RunEvidenceTest : public testing::Test {
 protected:
  void SetUp() override {
    write_bytes(run_ / "config.yaml",
                "model: {preset: tiny, vocab_size: 10}\ntask: mlm\n"
                "data: {text: [text], vocab: vocab.txt, sequence_length: 32}\ntraining: {steps: 10}\noutput: run\n");
    write_bytes(run_ / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\n");
  }

  void shard(const std::string& text) const {
    write_bytes(run_ / "text", text);
    ShardOptions options;
    options.files = {run_ / "text"};
    options.directory = run_ / "shards";
    options.sequence_length = 32;
    shard_corpus(options, WordPiece::read(run_ / "vocab.txt", true), [](const ShardProgress&) {});
  }

  const TemporaryDirectory run_;
};

TEST_F(RunEvidenceTest, CountsTheTokensOfTheShards) {
  shard("a a a b . a c x\n");  // '.' and 'x' are unknown
  const RunEvidence evidence = gather_evidence(run_.path(), "");
  ASSERT_TRUE(evidence.text);
  EXPECT_EQ(evidence.unigram->most_frequent_share, 4.0 / 6);
  EXPECT_EQ(evidence.text->ordinary, 5);
  EXPECT_EQ(evidence.text->unseen, 2);
  EXPECT_EQ(evidence.text->unknown_share, 0.25);
  EXPECT_EQ(evidence.text->repeated_share, 0);
  EXPECT_EQ(evidence.missing.size(), 3u) << "steps, evaluations, a model";
}

TEST_F(RunEvidenceTest, SeesPassagesThatAreRepeated) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a b c d e a a b b c c d d e e b a d c a e d c b a\n\n";
  shard(text);
  EXPECT_GT(gather_evidence(run_.path(), "").text->repeated_share, 0.9);
}

TEST_F(RunEvidenceTest, TakesTheUnigramThatTheRunRecorded) {
  write_bytes(run_ / "run.json", R"({"unigram_entropy": 1.5, "most_frequent_share": 0.25})");
  for (const bool has_shards : {false, true}) {
    if (has_shards) shard("a a a b\n");
    const RunEvidence evidence = gather_evidence(run_.path(), "");
    EXPECT_EQ(evidence.unigram->entropy, 1.5);
    EXPECT_EQ(evidence.unigram->most_frequent_share, 0.25);
    EXPECT_EQ(evidence.text.has_value(), has_shards);
  }
}

TEST_F(RunEvidenceTest, SaysNothingOfTokensWithoutAVocabulary) {
  shard("a a b\n");
  std::filesystem::rename(run_ / "vocab.txt", run_ / "elsewhere.txt");
  const RunEvidence evidence = gather_evidence(run_.path(), "");
  EXPECT_FALSE(evidence.unigram);
  EXPECT_FALSE(evidence.text);
  EXPECT_EQ(evidence.missing.back(), "no vocabulary of the shards, so nothing is said of the text");
  EXPECT_TRUE(gather_evidence(run_.path(), run_ / "elsewhere.txt").text->unknown_share);
}

TEST_F(RunEvidenceTest, ComparesEmbeddingsOfTokensThatOccurWithOthers) {
  shard("a b c\n");
  std::vector<float> table(20);
  for (size_t id = 0; id < 10; ++id) {
    const bool occurs = (id >= 5 && id < 8) || id == 2 || id == 3;  // with [CLS] and [SEP]
    table[2 * id] = occurs ? 4 : 1;
  }
  publish_model(run_ / "model", {{}, {{"bert.embeddings.word_embeddings.weight", {10, 2}, table}}});
  const RunEvidence evidence = gather_evidence(run_.path(), "");
  ASSERT_TRUE(evidence.embeddings);
  EXPECT_EQ(evidence.embeddings->seen, 2);
  EXPECT_EQ(evidence.embeddings->unseen, 0.5);
}

TEST_F(RunEvidenceTest, ReadsTheHistory) {
  write_bytes(run_ / "metrics.jsonl",
              "{\"phase\":\"train\",\"step\":1,\"loss\":5,\"grad_norm\":null,\"learning_rate\":1e-3}\n"
              "not a line\n"
              "{\"phase\":\"train\",\"step\":2,\"loss\":4,\"skipped\":1}\n"
              "{\"phase\":\"evaluation\",\"step\":2,\"loss\":4.5}\n");
  const RunHistory history = read_run_history(run_.path());
  ASSERT_EQ(history.steps.size(), 2u);
  EXPECT_EQ(history.steps[0].loss, 5);
  EXPECT_TRUE(std::isnan(history.steps[0].grad_norm));
  EXPECT_FALSE(history.steps[0].skipped);
  EXPECT_TRUE(history.steps[1].skipped);
  EXPECT_EQ(history.last_step->step, 2);
  ASSERT_EQ(history.evaluations.size(), 1u);
}

TEST_F(RunEvidenceTest, NeedsAConfiguration) {
  write_bytes(run_ / "config.yaml", "task: [");
  EXPECT_THROW(gather_evidence(run_.path(), ""), ConfigError);
  std::filesystem::remove(run_ / "config.yaml");
  EXPECT_THROW(gather_evidence(run_.path(), ""), ConfigError);
}

TEST_F(RunEvidenceTest, RefusesDamagedShards) {
  shard("a b c\n");
  std::filesystem::resize_file(run_ / "shards/shard-00000.h5", 100);
  EXPECT_THROW(gather_evidence(run_.path(), ""), DamagedFileError);
}

TEST_F(RunEvidenceTest, TheNewestModelIsTheFinalOneOrTheLatestCheckpoint) {
  EXPECT_FALSE(newest_model(run_.path()));
  TinyCheckpoint tiny;
  const Checkpoints checkpoints(run_ / "checkpoints", 3);
  tiny.save(checkpoints, 10);
  const std::string second = tiny.save(checkpoints, 20);
  EXPECT_EQ(newest_model(run_.path()), second);
  write_bytes(run_ / "checkpoints/latest", "step-00000010\n");
  EXPECT_EQ(newest_model(run_.path()), run_ / "checkpoints/step-00000010");
  publish_model(run_ / "model", tiny.model());
  EXPECT_EQ(newest_model(run_.path()), run_ / "model");
}

}  // namespace
}  // namespace bertha
