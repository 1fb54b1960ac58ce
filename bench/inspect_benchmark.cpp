// The statistics of a tensor (`bertha inspect --stats`) in bytes a second of processor time, from a file that the
// system has in memory.

#include <benchmark/benchmark.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "autograd/core/random.h"
#include "train/inspect/tensor_statistics.h"

namespace bertha {
namespace {

constexpr int64_t kElements = int64_t{16} << 20;

/// Spread as weights are.
std::vector<float> weights() {
  RandomStream random(1, "benchmark");
  std::vector<float> values(kElements);
  for (float& value : values) {
    value = static_cast<float>(0.05 * (random.uniform() + random.uniform() + random.uniform() - 1.5));
  }
  return values;
}

template <class T>
void write_tensor(const std::string& path, const char* dtype, const std::vector<T>& elements) {
  const auto bytes = static_cast<std::streamsize>(elements.size() * sizeof(T));
  const std::string header = std::string("{\"w\":{\"dtype\":\"") + dtype + "\",\"shape\":[" +
                             std::to_string(elements.size()) + "],\"data_offsets\":[0," + std::to_string(bytes) + "]}}";
  const uint64_t size = header.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&size), sizeof size) << header;
  file.write(reinterpret_cast<const char*>(elements.data()), bytes);
}

void measure(benchmark::State& state, const std::string& path) {
  const FileTensors file(path);
  const FileTensor& tensor = file.weights().front();
  for (auto _ : state) benchmark::DoNotOptimize(statistics_of(tensor));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(tensor.tensor.bytes));
  std::filesystem::remove(path);
}

std::string scratch_file() {
  return std::filesystem::temp_directory_path() / "bertha-inspect-benchmark.safetensors";
}

void statistics_f32(benchmark::State& state) {
  write_tensor(scratch_file(), "F32", weights());
  measure(state, scratch_file());
}
BENCHMARK(statistics_f32)->Unit(benchmark::kMillisecond);

void statistics_bf16(benchmark::State& state) {
  std::vector<uint16_t> halves;
  for (const float value : weights()) halves.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16));
  write_tensor(scratch_file(), "BF16", halves);
  measure(state, scratch_file());
}
BENCHMARK(statistics_bf16)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bertha

BENCHMARK_MAIN();
