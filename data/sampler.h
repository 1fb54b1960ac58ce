#pragma once

#include <cstdint>

namespace bertha {

/// The order in which training sees its samples: every sample once an epoch, another order in each epoch, the same on
/// any number of ranks. A pure function in constant memory, so that a run resumes at any place.
///
/// Samples are stored in compressed chunks. An epoch permutes the chunks and then the samples of each window of
/// kChunksPerWindow consecutive ones, so that a reader which keeps that many chunks reads each about once an epoch.
/// Where stored chunks begin elsewhere (each file begins one), a reader that keeps twice as many reads each about
/// twice. Source: permutations are Feistel networks (Luby & Rackoff 1988), fitted to any size by cycle walking (Black &
///         Rogaway 2002).
class SampleOrder {
 public:
  static constexpr int64_t kChunksPerWindow = 8;

  /// `size` samples, `chunk_size` to a chunk (the last may hold fewer). Throws ConfigError unless both are at least 1.
  SampleOrder(int64_t size, int64_t chunk_size, uint64_t seed);

  int64_t size() const { return size_; }

  /// The sample at `place`, in [0, size), of an epoch.
  int64_t at(int64_t epoch, int64_t place) const;

 private:
  int64_t size_;
  int64_t chunk_size_;
  uint64_t seed_;
};

}  // namespace bertha
