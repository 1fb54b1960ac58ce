#include "autograd/kernels/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace bertha::kernels {
namespace {

bool capped_at(std::string_view name) {
  const char* cap = std::getenv("BERTHA_ISA");
  return cap && cap == name;
}

/// The fourth level of x86-64, which clang cannot ask for as a whole.
bool supports_level_4() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/// AMX_BF16 and AMX_TILE; g++ 12 and clang 14 know no common names for them.
bool supports_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kBits = 1u << 22 | 1u << 24;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kBits) == kBits;
}

/// Linux gives a process the 8 KiB of a thread's matrix registers when it is asked.
bool request_matrix_registers() {
  constexpr long kRequestPermission = 0x1023, kMatrixData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kMatrixData) == 0;
}

}  // namespace

bool has_avx512() {
  static const bool has = supports_level_4() && !capped_at("avx2");
  return has;
}

bool has_bf16() {
  static const bool has = has_avx512() && __builtin_cpu_supports("avx512bf16");
  return has;
}

bool has_amx() {
  static const bool has = has_bf16() && !capped_at("avx512") && supports_amx() && request_matrix_registers();
  return has;
}

std::string_view isa_name() {
  return has_amx() ? "amx_bf16" : has_bf16() ? "avx512_bf16" : has_avx512() ? "avx512" : "avx2";
}

}  // namespace bertha::kernels
