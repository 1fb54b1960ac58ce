#include "train/metrics.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/fuzz.h"
#include "train/metrics_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  constexpr int64_t kStep = 5;
  const std::string_view bytes = text_of(data, size);
  const std::string path = file_of(std::string(kMetricsName), bytes);
  int64_t lines = 0;
  MetricsReader reader(fuzz_folder().path());
  reader.read([&](const MetricsLine& line) {
    ++lines;
    require(parse_metrics_line(to_json(line)).has_value(), "a line is read as it is written");
  });
  require(lines == reader.lines(), "every line is given");
  last_metrics_step(fuzz_folder().path());
  MetricsLog(fuzz_folder().path(), kStep);
  std::ifstream file(path, std::ios::binary);
  const std::string kept(std::istreambuf_iterator<char>(file), {});
  require(bytes.starts_with(kept) && (kept.empty() || kept.ends_with('\n')), "whole lines from the front are kept");
  std::filesystem::remove(fuzz_folder() / "events.out.tfevents.bertha");
  return 0;
}
