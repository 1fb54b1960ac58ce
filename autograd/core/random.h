#pragma once

#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

namespace bertha {

/// Mixes two words into one; every input bit reaches every output bit (the finaliser of Steele et al. 2014, SplitMix).
constexpr uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9E3779B97F4A7C15u + b + 0xD1B54A32D192ED03u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// The identity of a name: a purpose, a parameter or a dropout site (FNV-1a, then mixed).
constexpr uint64_t hash_name(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix(hash, name.size());
}

/// Random numbers as a pure function of (seed, purpose, a, b, draw number): there is no state to save or to share.
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox4x32-10.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view purpose, uint64_t a = 0, uint64_t b = 0) {
    const uint64_t key = mix(mix(seed, hash_name(purpose)), a);
    key_ = {{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
    counter_ = {{0, 0, static_cast<uint32_t>(b), static_cast<uint32_t>(b >> 32)}};
  }

  uint32_t next_u32() {
    if (used_ == 4) refill();
    return block_[used_++];
  }
  uint64_t next_u64() {
    const uint64_t high = next_u32();
    return high << 32 | next_u32();
  }

  /// Uniform in [0, bound), without bias (Lemire 2019); bound > 0.
  uint32_t below(uint32_t bound) {
    uint64_t product = uint64_t{next_u32()} * bound;
    if (static_cast<uint32_t>(product) < bound) {
      const uint32_t threshold = -bound % bound;
      while (static_cast<uint32_t>(product) < threshold) product = uint64_t{next_u32()} * bound;
    }
    return static_cast<uint32_t>(product >> 32);
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

  /// Standard normal (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  void refill() {
    const auto out = r123::Philox4x32()(counter_, key_);
    for (int i = 0; i < 4; ++i) block_[i] = out[i];
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }

  r123::Philox4x32::key_type key_;
  r123::Philox4x32::ctr_type counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace bertha
