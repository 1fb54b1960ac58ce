#include "train/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

// Bytes of `path` that hold whole lines of steps up to `step`, from the front.
off_t length_to_keep(const std::string& path, int64_t step) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  off_t kept = 0;
  while (std::getline(file, line) && !file.eof()) {
    const auto object = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() || !object.contains("step") || !object["step"].is_number_integer()) break;
    if (object["step"].get<int64_t>() > step) break;
    kept += static_cast<off_t>(line.size()) + 1;
  }
  return kept;
}

}  // namespace

std::string to_json(const MetricsLine& line) {
  ordered_json object = {{"phase", line.phase}, {"step", line.step}};
  for (const auto& [name, value] : line.values) {
    const bool whole = std::abs(value) < 0x1p53 && value == std::floor(value);
    if (whole) {
      object[name] = static_cast<int64_t>(value);
    } else {
      object[name] = value;
    }
  }
  return object.dump();
}

MetricsLog::MetricsLog(const std::string& path, int64_t step) : path_(path) {
  const off_t kept = length_to_keep(path, step);
  descriptor_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  const bool ready =
      descriptor_ >= 0 && ftruncate(descriptor_, kept) == 0 && lseek(descriptor_, kept, SEEK_SET) == kept;
  check<Error>(ready, path, ": cannot be written (", std::strerror(errno), ")");
}

MetricsLog::~MetricsLog() {
  if (descriptor_ >= 0) close(descriptor_);
}

void MetricsLog::write(const MetricsLine& line) {
  const std::string text = to_json(line) + "\n";
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  check<Error>(written == static_cast<ssize_t>(text.size()), path_, ": cannot be written (",
               written < 0 ? std::strerror(errno) : "the disk is full", ")");
}

}  // namespace bertha
