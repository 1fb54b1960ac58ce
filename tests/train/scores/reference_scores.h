#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace bertha {

/// What Python packages make of cases; null where the interpreter fails.
inline nlohmann::json reference_scores(const std::string& kind, const nlohmann::json& cases) {
  const TemporaryDirectory folder;
  const std::string in = folder / "in.json", out = folder / "out.json";
  std::ofstream(in) << nlohmann::json{{kind, cases}};
  const std::string script = BERTHA_SOURCE_DIR "/tests/fixtures/reference_scores.py";
  const std::string command = quoted(python()) + " " + quoted(script) + " <" + in + " >" + out;
  if (std::system(command.c_str()) != 0) return nullptr;
  std::ifstream file(out);
  return nlohmann::json::parse(file).at(kind);
}

/// Equal up to rounding; a reference of null is NaN.
inline void expect_score(const nlohmann::json& reference, double score, const std::string& name) {
  if (reference.is_null()) {
    EXPECT_TRUE(std::isnan(score)) << name << " is " << score;
  } else {
    EXPECT_NEAR(score, reference.get<double>(), 1e-12) << name;
  }
}

}  // namespace bertha
