#include "cli/version.h"

#include <fmt/format.h>

#include "autograd/kernels/isa.h"
#include "data/hdf5_table.h"
#include "train/comm/communicator.h"

namespace bertha {
namespace {

std::string cpu_features() {
  std::string features;
  const auto add = [&](bool has, const char* name) {
    if (has) features += std::string(features.empty() ? "" : " ") + name;
  };
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
  return features;
}

}  // namespace

std::string version_text() {
  return fmt::format("bertha {}\ncompiler: g++ {}\nkernels: {} (own; no BLAS, no oneDNN)\nMPI: {}\nHDF5: {}\nCPU: {}",
                     BERTHA_VERSION, __VERSION__, kernels::isa_name(), mpi_version(), hdf5_version(), cpu_features());
}

}  // namespace bertha
