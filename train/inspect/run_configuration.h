#pragma once

#include <optional>
#include <string>

#include "train/finetune_config.h"
#include "train/pretrain_config.h"

namespace bertha {

/// The config.yaml of a run directory.
struct RunConfiguration {
  std::string yaml;
  std::optional<PretrainConfig> pretraining;  // one of these
  std::optional<FinetuneConfig> finetuning;

  const TrainingSection& training() const { return pretraining ? pretraining->training : finetuning->training; }
};

inline constexpr std::string_view kRunConfigurationName = "config.yaml";

/// Throws ConfigError where there is none or it is no complete configuration.
RunConfiguration read_run_configuration(const std::string& directory);

}  // namespace bertha
