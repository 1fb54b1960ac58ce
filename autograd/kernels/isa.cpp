#include "autograd/kernels/isa.h"

#include <cstdlib>

namespace bertha::kernels {
namespace {

bool capped_at_avx2() {
  const char* cap = std::getenv("BERTHA_ISA");
  return cap && std::string_view(cap) == "avx2";
}

/// The fourth level of x86-64, which clang cannot ask for as a whole.
bool supports_level_4() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

}  // namespace

bool has_avx512() {
  static const bool has = supports_level_4() && !capped_at_avx2();
  return has;
}

bool has_bf16() {
  static const bool has = has_avx512() && __builtin_cpu_supports("avx512bf16");
  return has;
}

std::string_view isa_name() {
  return has_bf16() ? "avx512_bf16" : has_avx512() ? "avx512" : "avx2";
}

}  // namespace bertha::kernels
