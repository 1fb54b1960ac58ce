#pragma once

#include <span>

namespace bertha {

/// How predicted numbers agree with gold numbers. A correlation is NaN where either side is constant or has fewer than
/// two numbers, or one is not finite; all are NaN of no examples.
struct RegressionScores {
  double pearson = 0;
  double spearman = 0;  // Pearson's of the ranks; equal numbers share the mean of theirs
  double mse = 0;
};

/// Throws Error where lengths differ.
RegressionScores regression_scores(std::span<const double> gold, std::span<const double> predicted);

}  // namespace bertha
