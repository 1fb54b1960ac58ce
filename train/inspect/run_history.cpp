#include "train/inspect/run_history.h"

#include <cmath>

#include "train/metrics_reader.h"

namespace bertha {
namespace {

TrainStep train_step(const MetricsLine& line) {
  const auto number = [&](std::string_view name) { return line.find(name).value_or(NAN); };
  return {.step = line.step,
          .loss = number("loss"),
          .mlm_loss = number("mlm_loss"),
          .mlm_accuracy = number("mlm_accuracy"),
          .learning_rate = number("learning_rate"),
          .grad_norm = number("grad_norm"),
          .tokens_per_s = number("tokens_per_s"),
          .communication_share = number("communication_share"),
          .skipped = line.find("skipped").has_value()};
}

}  // namespace

RunHistory read_run_history(const std::string& directory) {
  RunHistory history;
  MetricsReader(directory).read([&](const MetricsLine& line) {
    if (line.phase == "evaluation") history.evaluations.push_back(line);
    if (line.phase != "train") return;
    history.steps.push_back(train_step(line));
    history.last_step = line;
  });
  return history;
}

}  // namespace bertha
