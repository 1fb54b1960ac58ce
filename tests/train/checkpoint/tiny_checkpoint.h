#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "train/checkpoint/checkpoint.h"

namespace bertha {

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A model of two tensors and its training state, with the memory they are views of.
struct TinyCheckpoint {
  std::vector<float> weight{0.5f, -1.25f, 3e-20f, 4, 5, 6}, bias{-1, 1};
  std::vector<float> first_weight{1, 2, 3, 4, 5, 6}, first_bias{7, 8};
  std::vector<float> second_weight{11, 12, 13, 14, 15, 16}, second_bias{17, 18};
  TrainingState state{.step = 200,
                      .samples = 12800,
                      .tokens = 1'500'000'000'000,
                      .budget_used_ms = 7'200'000,
                      .optimizer = "adamw",
                      .configuration = "task: mlm\ntraining:\n  steps: 1000\n",
                      .identity = {.model = "{\n  \"hidden_size\": 2\n}\n",
                                   .vocabulary_hash = 0xFEDCBA9876543210,
                                   .data_hash = 12,
                                   .evaluation_hash = 14,
                                   .seed = 1,
                                   .global_batch_size = 64}};

  ModelContent model() const {
    return {{{"config.json", state.identity.model}, {"vocab.txt", "[PAD]\n[UNK]\n"}},
            {{"bert.dense.weight", {3, 2}, weight}, {"bert.dense.bias", {2}, bias}}};
  }
  std::vector<Moment> moments() const {
    const std::vector<std::pair<std::string, Shape>> tensors{{"bert.dense.bias", {2}}, {"bert.dense.weight", {3, 2}}};
    return {{"first_moment", tensors, [this](size_t i) { return std::span(i == 0 ? first_bias : first_weight); }},
            {"second_moment", tensors, [this](size_t i) { return std::span(i == 0 ? second_bias : second_weight); }}};
  }
  std::string save(const Checkpoints& checkpoints, int64_t step) {
    state.step = step;
    return checkpoints.save(model(), state, moments());
  }
};

}  // namespace bertha
