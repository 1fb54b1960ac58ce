#include "train/best_model.h"

#include <cmath>

namespace bertha {

bool BestModel::add(int64_t step, double value) {
  const bool better = !step_ || value > value_ || (std::isnan(value_) && !std::isnan(value));
  if (better) {
    step_ = step;
    value_ = value;
    without_better_ = 0;
  } else {
    ++without_better_;
  }
  return better;
}

}  // namespace bertha
