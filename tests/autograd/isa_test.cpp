#include "autograd/kernels/isa.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>

namespace bertha {
namespace {

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const size_t bytes = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), bytes);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

// Of several definitions of one symbol the linker takes any, also one that a processor without AVX-512 cannot run. So
// whatever the AVX-512 and AMX objects define for others must carry the instruction set in its name.
TEST(Isa, Avx512ObjectsDefineNothingThatAvx2CodeCouldCall) {
  std::istringstream objects(BERTHA_AVX512_OBJECTS);
  int symbols = 0;
  for (std::string object; std::getline(objects, object, ' ');) {
    std::istringstream lines(output_of("nm --demangle --defined-only --extern-only " + object));
    for (std::string line; std::getline(lines, line);) {
      const bool is_code = line.find(" T ") != std::string::npos || line.find(" W ") != std::string::npos;
      if (!is_code || line.ends_with("__clang_call_terminate")) continue;  // clang's own, without a vector in it
      ++symbols;
      EXPECT_TRUE(line.find("Avx512") != std::string::npos || line.find("Amx") != std::string::npos)
          << object << ": " << line;
    }
  }
  EXPECT_GT(symbols, 20);
}

TEST(Isa, CapsAreHeeded) {
  const std::string avx2 = output_of("BERTHA_ISA=avx2 " BERTHA_BINARY " --version");
  EXPECT_NE(avx2.find("kernels: avx2"), std::string::npos) << avx2;
  const std::string avx512 = output_of("BERTHA_ISA=avx512 " BERTHA_BINARY " --version");
  EXPECT_EQ(avx512.find("kernels: amx"), std::string::npos) << avx512;
}

TEST(Bfloat16, RoundsToTheNearestEvenAndKeepsSpecialValues) {
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f)), 1.0f);
  EXPECT_EQ(static_cast<float>(bfloat16(1.00390625f)), 1.0f);          // halfway: to even, down
  EXPECT_EQ(static_cast<float>(bfloat16(1.01171875f)), 1.015625f);     // halfway: to even, up
  EXPECT_EQ(static_cast<float>(bfloat16(1.00390637f)), 1.0078125f);    // above halfway
  EXPECT_EQ(static_cast<float>(bfloat16(-3.4028235e38f)), -INFINITY);  // rounds past the largest
  EXPECT_EQ(static_cast<float>(bfloat16(INFINITY)), INFINITY);
  EXPECT_TRUE(std::isnan(static_cast<float>(bfloat16(std::bit_cast<float>(0x7F800001)))));
}

}  // namespace
}  // namespace bertha
