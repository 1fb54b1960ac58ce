#pragma once

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "autograd/tensor.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace bertha {

inline nlohmann::json rows_json(const Tensor& matrix) {
  nlohmann::json rows = nlohmann::json::array();
  for (int64_t i = 0; i < matrix.rows(); ++i) {
    const float* row = matrix.data<float>() + i * matrix.cols();
    rows.push_back(std::vector<float>(row, row + matrix.cols()));
  }
  return rows;
}

/// What Python packages make of vectors and a map of them; null where the interpreter fails.
inline nlohmann::json reference_maps(const Tensor& vectors, const Tensor& map, int64_t neighbors) {
  const TemporaryDirectory folder;
  const std::string in = folder / "in.json", out = folder / "out.json";
  std::ofstream(in) << nlohmann::json{
      {"vectors", rows_json(vectors)}, {"map", rows_json(map)}, {"neighbors", neighbors}};
  const std::string script = BERTHA_SOURCE_DIR "/tests/fixtures/reference_maps.py";
  if (std::system((quoted(python()) + " " + quoted(script) + " <" + in + " >" + out).c_str()) != 0) return nullptr;
  std::ifstream file(out);
  return nlohmann::json::parse(file);
}

}  // namespace bertha
