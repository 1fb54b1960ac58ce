#include "visualize/curve.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bertha {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void Curve::Bucket::add(const Bucket& later) {
  end = later.end;
  if (later.values == 0) return;
  if (values == 0 || later.low.value < low.value) low = later.low;
  if (values == 0 || later.high.value > high.value) high = later.high;
  values += later.values;
  sum += later.sum;
}

void Curve::add(int64_t step, double value) {
  const bool finite = std::isfinite(value);
  last_ = {step, finite ? value : kNan};
  if (size_++ == 0) first_ = last_;
  const Bucket one = {step, step, finite, last_, last_, finite ? value : 0};
  if (filled_ < width_ && !buckets_.empty()) {
    buckets_.back().add(one);
    ++filled_;
    return;
  }
  if (buckets_.size() == kMostBuckets) halve();
  buckets_.push_back(one);
  filled_ = 1;
}

// The number of buckets is even, and all are full.
void Curve::halve() {
  for (size_t i = 0; i < buckets_.size() / 2; ++i) {
    buckets_[i] = buckets_[2 * i];
    buckets_[i].add(buckets_[2 * i + 1]);
  }
  buckets_.resize(buckets_.size() / 2);
  width_ *= 2;
}

double Curve::mean() const {
  double sum = 0;
  int64_t values = 0;
  for (const Bucket& bucket : buckets_) {
    sum += bucket.sum;
    values += bucket.values;
  }
  return values > 0 ? sum / static_cast<double>(values) : kNan;
}

std::vector<CurvePoint> Curve::points() const {
  std::vector<CurvePoint> all;
  if (size_ == 0) return all;
  const auto append = [&all](const CurvePoint& point) {
    if (all.empty() || all.back().step < point.step) all.push_back(point);
  };
  append(first_);
  for (const Bucket& bucket : buckets_) {
    if (bucket.values == 0) {
      append({bucket.begin, kNan});
      continue;
    }
    append(bucket.low.step < bucket.high.step ? bucket.low : bucket.high);
    append(bucket.low.step < bucket.high.step ? bucket.high : bucket.low);
  }
  append(last_);
  return all;
}

std::vector<CurvePoint> Curve::means() const {
  std::vector<CurvePoint> all;
  for (const Bucket& bucket : buckets_) {
    const double mean = bucket.values > 0 ? bucket.sum / static_cast<double>(bucket.values) : kNan;
    all.push_back({bucket.begin + (bucket.end - bucket.begin) / 2, mean});
  }
  return all;
}

}  // namespace bertha
