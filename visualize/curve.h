#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bertha {

struct CurvePoint {
  int64_t step = 0;
  double value = 0;

  bool operator==(const CurvePoint&) const = default;
};

/// A number over the steps of a run of any length, in bounded memory: consecutive steps share a bucket, of which the
/// lowest and the highest value, the mean, and their steps are kept. As a run grows, neighbouring buckets become one.
class Curve {
 public:
  static constexpr size_t kMostPoints = 2000;

  /// Steps rise. A value that is not finite is a gap.
  void add(int64_t step, double value);

  /// The first and the last point, and of each bucket the lowest and the highest, in the order of their steps; NaN
  /// where a bucket has no value. At most kMostPoints.
  std::vector<CurvePoint> points() const;
  /// Of each bucket the mean, at its middle step; NaN where it has no value.
  std::vector<CurvePoint> means() const;

  /// Values that a full bucket is made of: 1 where nothing was left out.
  int64_t width() const { return width_; }
  int64_t size() const { return size_; }
  /// NaN where it is a gap, or there is none.
  const CurvePoint& last() const { return last_; }
  /// Of all values; NaN where there are none.
  double mean() const;

 private:
  struct Bucket {
    int64_t begin = 0, end = 0;  // its first and its last step
    int64_t values = 0;          // that are finite
    CurvePoint low, high;
    double sum = 0;

    void add(const Bucket& later);
  };
  static constexpr size_t kMostBuckets = (kMostPoints - 2) / 4 * 2;  // an even number

  void halve();

  std::vector<Bucket> buckets_;
  CurvePoint first_, last_ = {0, std::numeric_limits<double>::quiet_NaN()};
  int64_t width_ = 1;
  int64_t filled_ = 0;  // of the last bucket
  int64_t size_ = 0;
};

}  // namespace bertha
