#include "autograd/core/shape.h"

#include <gtest/gtest.h>

#include <sstream>

namespace bertha {
namespace {

std::string printed(const Shape& shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

TEST(Shape, CountsElementsRowsAndColumns) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape[1], 3);
  EXPECT_EQ(shape.numel(), 24);
  EXPECT_EQ(shape.rows(), 6);
  EXPECT_EQ(shape.cols(), 4);
  EXPECT_EQ(Shape({5}).rows(), 1);
}

TEST(Shape, MayBeEmptyOrAScalar) {
  EXPECT_EQ(Shape({0, 4}).numel(), 0);
  EXPECT_EQ(Shape({0, 4}).rows(), 0);
  EXPECT_EQ(Shape({4, 0}).rows(), 0) << "no division by the zero";
  EXPECT_EQ(Shape().rank(), 0);
  EXPECT_EQ(Shape().numel(), 1);
  EXPECT_EQ(Shape().cols(), 0);
}

TEST(Shape, DiffersByRankAndByEveryDimension) {
  EXPECT_EQ(Shape({2, 3}), Shape({2, 3}));
  EXPECT_NE(Shape({2, 3}), Shape({3, 2}));
  EXPECT_NE(Shape({2, 3}), Shape({2, 3, 1}));
  EXPECT_NE(Shape(), Shape({0}));
}

TEST(Shape, PrintsAsErrorsShowIt) {
  EXPECT_EQ(printed({2, 3}), "(2, 3)");
  EXPECT_EQ(printed({}), "()");
}

TEST(Shape, RefusesWhatNoTensorHas) {
  EXPECT_THROW(Shape({1, 1, 1, 1, 1}), Error);
  EXPECT_THROW(Shape({2, -1}), Error);
}

}  // namespace
}  // namespace bertha
