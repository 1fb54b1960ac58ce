#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

#include "tests/train/fixture_files.h"
#include "train/checkpoint/safetensors.h"
#include "train/model_directory.h"

namespace bertha {
namespace {

constexpr int64_t kIgnored = -100;

// A padded batch of the fixture, packed as Bertha sees it.
struct Case {
  int64_t batch = 0, width = 0;
  std::vector<int32_t> ids, types, positions, cu_seqlens = {0};
  std::vector<int32_t> padded_rows;  // of each packed row: where it stands in the padded batch
  std::vector<int32_t> masked_rows, masked_labels, next_sentence;

  explicit Case(const SafetensorsFile& file) {
    const StoredTensor& stored = file.at("input.input_ids");
    batch = stored.shape[0];
    width = stored.shape[1];
    const auto input_ids = integers(file, "input.input_ids");
    const auto type_ids = integers(file, "input.token_type_ids");
    const auto mask = integers(file, "input.attention_mask");
    std::vector<int64_t> labels(input_ids.size(), kIgnored);
    if (file.find("input.labels") && file.at("input.labels").shape.size() == 2) labels = integers(file, "input.labels");
    for (int64_t i = 0; i < batch * width; ++i) {
      if (mask[i]) {
        if (labels[i] != kIgnored) {
          masked_rows.push_back(static_cast<int32_t>(ids.size()));
          masked_labels.push_back(static_cast<int32_t>(labels[i]));
        }
        ids.push_back(static_cast<int32_t>(input_ids[i]));
        types.push_back(static_cast<int32_t>(type_ids[i]));
        positions.push_back(static_cast<int32_t>(i % width));
        padded_rows.push_back(static_cast<int32_t>(i));
      }
      if (i % width == width - 1) cu_seqlens.push_back(static_cast<int32_t>(ids.size()));
    }
    for (const char* name : {"input.next_sentence_label", "input.labels"}) {
      if (!next_sentence.empty() || !file.find(name) || file.at(name).shape.size() != 1) continue;
      for (const int64_t label : integers(file, name)) next_sentence.push_back(static_cast<int32_t>(label));
    }
  }

  TokenInputs inputs() const { return {ids, types, positions}; }
};

// The rows of a padded (batch * width, cols) reference that are real tokens.
std::vector<float> real_rows(const Case& c, const std::vector<float>& padded) {
  const size_t cols = padded.size() / static_cast<size_t>(c.batch * c.width);
  std::vector<float> rows;
  for (const int32_t row : c.padded_rows) {
    rows.insert(rows.end(), padded.begin() + static_cast<int64_t>(row * cols),
                padded.begin() + static_cast<int64_t>((row + 1) * cols));
  }
  return rows;
}

void expect_close(std::span<const float> got, std::span<const float> want, double tolerance, const std::string& what) {
  EXPECT_LE(max_difference(got, want), tolerance) << what;
}

double largest(std::span<const float> values) {
  double result = 0;
  for (const float x : values) result = std::max(result, static_cast<double>(std::abs(x)));
  return result;
}

using Observations = std::map<std::string, Tensor>;

void expect_hidden_states(const Case& c, const SafetensorsFile& cases, const Observations& seen, int64_t layers) {
  for (int64_t i = 0; i <= layers; ++i) {
    const std::string path = i == 0 ? "bert.embeddings" : "bert.encoder.layer." + std::to_string(i - 1);
    const std::string name = "output.hidden_states." + std::to_string(i);
    expect_close(seen.at(path).span<float>(), real_rows(c, floats(cases, name)), 2e-5, name);
  }
}

void expect_attentions(const Case& c, const SafetensorsFile& cases, const Observations& seen,
                       const BertConfig& config) {
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    const std::string name = "output.attentions." + std::to_string(layer);
    const auto padded = floats(cases, name);  // (B, A, S, S)
    std::vector<float> want;
    for (int64_t b = 0; b < c.batch; ++b) {
      const int64_t n = c.cu_seqlens[b + 1] - c.cu_seqlens[b];
      for (int64_t row = b * config.num_attention_heads * c.width; row < (b + 1) * config.num_attention_heads * c.width;
           ++row) {
        if (row % c.width >= n) continue;
        const auto begin = padded.begin() + row * c.width;
        want.insert(want.end(), begin, begin + n);
      }
    }
    const std::string path = "bert.encoder.layer." + std::to_string(layer) + ".attention.self.probabilities";
    expect_close(seen.at(path).span<float>(), want, 2e-5, name);
  }
}

void expect_logits(const Case& c, const SafetensorsFile& cases, const BertForPretraining& model) {
  Run run;
  run.cu_seqlens = c.cu_seqlens;
  const bool mlm = model.heads() != PretrainingHeads::kNextSentence;
  if (mlm) {
    std::vector<int32_t> all(c.ids.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int32_t>(i);
    const std::string name = cases.find("output.prediction_logits") ? "output.prediction_logits" : "output.logits";
    expect_close(model.mlm_logits(run, c.inputs(), all).value().span<float>(), real_rows(c, floats(cases, name)), 2e-5,
                 name);
  }
  if (model.heads() != PretrainingHeads::kMlm) {
    const std::string name = mlm ? "output.seq_relationship_logits" : "output.logits";
    expect_close(model.next_sentence_logits(run, c.inputs()).value().span<float>(), floats(cases, name), 2e-5, name);
  }
}

void expect_loss_and_gradients(const Case& c, const SafetensorsFile& cases, BertForPretraining& model) {
  Tape tape;
  Run run;
  run.tape = &tape;
  run.cu_seqlens = c.cu_seqlens;
  Observations seen;
  run.observer = [&](const std::string& path, const Tensor& tensor) { seen[path] = tensor; };
  PretrainingLosses losses;
  const PretrainingScales scales = {1.0 / std::max<double>(1, static_cast<double>(c.masked_rows.size())),
                                    1.0 / std::max<double>(1, static_cast<double>(c.next_sentence.size()))};
  const Var loss =
      model.loss(run, c.inputs(), {c.masked_rows, c.masked_labels, c.next_sentence}, scales, losses, nullptr);
  EXPECT_NEAR(*loss.value().data<float>(), floats(cases, "output.loss")[0], 1e-5);
  expect_hidden_states(c, cases, seen, model.config().num_hidden_layers);
  expect_attentions(c, cases, seen, model.config());

  tape.backward(loss);
  int compared = 0;
  for (const PublishedTensor& tensor : model.parameters().published()) {
    const auto want = floats(cases, "grad." + tensor.name);
    const auto got = std::as_const(model.parameters()).gradients().subspan(tensor.offset, tensor.shape.numel());
    expect_close(got, want, 2e-5 + 1e-4 * largest(want), "grad." + tensor.name);
    ++compared;
  }
  const auto is_gradient = [](const StoredTensor& stored) { return stored.name.starts_with("grad."); };
  EXPECT_EQ(compared, std::ranges::count_if(cases.tensors(), is_gradient));
}

bool is_supported(const std::string& folder) {
  try {
    read_model_description(folder);
    return true;
  } catch (const MismatchError&) {
    return false;
  }
}

TEST(ModelParity, MatchesHuggingFace) {
  int matched = 0;
  for (const std::string& folder : fixture_folders()) {
    SCOPED_TRACE(folder);
    if (is_trajectory(folder)) continue;
    if (!is_supported(folder)) {
      std::cout << "skipped, its architecture is not supported: " << folder << "\n";
      continue;
    }
    const auto model = read_model(folder);
    const SafetensorsFile cases(folder + "/cases.safetensors");
    const Case c(cases);
    expect_loss_and_gradients(c, cases, *model);
    expect_logits(c, cases, *model);
    ++matched;
  }
  EXPECT_GT(matched, 0);
}

}  // namespace
}  // namespace bertha
