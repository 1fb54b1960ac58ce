#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/train/fixture_files.h"
#include "train/model_directory.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace bertha {
namespace {

// A fixture's batch: rows of full length, every token with a label or -100.
struct StepBatch {
  std::vector<int32_t> ids, types, cu_seqlens = {0}, masked_rows, masked_labels;

  StepBatch(const SafetensorsFile& file, const std::string& prefix) {
    const StoredTensor& stored = file.at(prefix + "input_ids");
    const int64_t width = stored.shape[1];
    const auto input_ids = integers(file, prefix + "input_ids");
    const auto labels = integers(file, prefix + "labels");
    for (size_t i = 0; i < input_ids.size(); ++i) {
      ids.push_back(static_cast<int32_t>(input_ids[i]));
      if (labels[i] >= 0) {
        masked_rows.push_back(static_cast<int32_t>(i));
        masked_labels.push_back(static_cast<int32_t>(labels[i]));
      }
    }
    types.resize(ids.size());
    for (int64_t row = 1; row <= stored.shape[0]; ++row) cu_seqlens.push_back(static_cast<int32_t>(row * width));
  }
};

double train_step(BertForPretraining& model, const StepBatch& batch) {
  Tape tape;
  Run run;
  run.tape = &tape;
  run.cu_seqlens = batch.cu_seqlens;
  PretrainingLosses losses;
  const PretrainingScales scales = {1.0 / static_cast<double>(batch.masked_rows.size()), 0};
  const Var loss =
      model.loss(run, {batch.ids, batch.types}, {batch.masked_rows, batch.masked_labels, {}}, scales, losses, nullptr);
  tape.backward(loss);
  return losses.mlm.loss / static_cast<double>(losses.mlm.labels);
}

void expect_trajectory(const std::string& folder) {
  std::ifstream recipe_file(folder + "/recipe.json");
  const auto recipe = nlohmann::json::parse(recipe_file);
  const auto model = read_model(folder);
  const SafetensorsFile cases(folder + "/cases.safetensors");
  OptimizerOptions options;
  options.kind = recipe["optimizer"] == "lamb" ? OptimizerKind::kLamb : OptimizerKind::kAdamW;
  options.beta1 = recipe["betas"][0];
  options.beta2 = recipe["betas"][1];
  options.epsilon = recipe["eps"];
  options.weight_decay = recipe["weight_decay"];
  options.clip_grad_norm = recipe["clip_grad_norm"];
  Optimizer optimizer(options, model->parameters());
  const Schedule schedule = {ScheduleKind::kLinear, recipe["peak_lr"], recipe["warmup_steps"], recipe["steps"]};
  const auto losses = floats(cases, "output.losses");
  const auto norms = floats(cases, "output.grad_norms");
  const auto rates = floats(cases, "output.learning_rates");
  for (int64_t step = 0; step < schedule.steps; ++step) {
    const StepBatch batch(cases, "input." + std::to_string(step) + ".");
    EXPECT_NEAR(train_step(*model, batch), losses[static_cast<size_t>(step)], 2e-5) << "step " << step;
    const double norm = optimizer.gradient_norm();
    EXPECT_NEAR(norm / norms[static_cast<size_t>(step)], 1, 1e-4) << "step " << step;
    EXPECT_NEAR(schedule.learning_rate(step) / rates[static_cast<size_t>(step)], 1, 1e-6) << "step " << step;
    optimizer.apply(schedule.learning_rate(step), norm);
  }
  const ParameterStore& store = model->parameters();
  for (const PublishedTensor& tensor : store.published()) {
    const auto got = store.values().subspan(tensor.offset, tensor.shape.numel());
    EXPECT_LE(max_difference(got, floats(cases, "final." + tensor.name)), 5e-5) << tensor.name;
  }
}

TEST(TrajectoryParity, TwelveStepsMatchPyTorch) {
  int matched = 0;
  for (const std::string& folder : fixture_folders()) {
    if (!is_trajectory(folder)) continue;
    SCOPED_TRACE(folder);
    expect_trajectory(folder);
    ++matched;
  }
  EXPECT_GT(matched, 0);
}

}  // namespace
}  // namespace bertha
