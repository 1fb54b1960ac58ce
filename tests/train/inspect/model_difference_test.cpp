#include "train/inspect/model_difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/core/random.h"
#include "tests/temporary_directory.h"
#include "tests/train/inspect/raw_safetensors.h"

namespace bertha {
namespace {

class DifferenceTest : public testing::Test {
 protected:
  ModelDifference between(const std::vector<RawTensor>& a, const std::vector<RawTensor>& b) {
    write_raw(folder_ / "a", a);
    write_raw(folder_ / "b", b);
    a_.emplace(folder_ / "a");
    b_.emplace(folder_ / "b");
    return difference_of(a_->weights(), b_->weights());
  }

  const TemporaryDirectory folder_;
  std::optional<FileTensors> a_, b_;
};

TEST_F(DifferenceTest, OfEqualTensorsIsEmpty) {
  const std::vector<RawTensor> tensors{raw_tensor("a", "F32", std::vector<float>{1, NAN, -0.0f}),
                                       raw_tensor("b", "I64", std::vector<int64_t>{7}),
                                       raw_tensor("c", "F8_E4M3", std::vector<uint8_t>{1, 2})};
  const ModelDifference difference = between(tensors, tensors);
  EXPECT_TRUE(difference.is_empty());
  EXPECT_EQ(difference.equal, 3);
  EXPECT_TRUE(difference.groups.empty());
}

TEST_F(DifferenceTest, MeasuresHowFarTensorsMoved) {
  const ModelDifference difference = between({raw_tensor("w", "F32", std::vector<float>{3, 0, 4})},
                                             {raw_tensor("w", "F32", std::vector<float>{3, 1, 4.5f})});
  ASSERT_EQ(difference.changed.size(), 1u);
  const TensorDifference& moved = difference.changed[0].difference;
  EXPECT_EQ(moved.elements, 3);
  EXPECT_EQ(moved.changed, 2);
  EXPECT_EQ(moved.largest, 1);
  EXPECT_DOUBLE_EQ(moved.relative_norm(), std::sqrt(1.25) / 5);
  EXPECT_DOUBLE_EQ(moved.cosine(), (9 + 18) / (5 * std::sqrt(9 + 1 + 20.25)));
}

TEST_F(DifferenceTest, SeesABitInTheMiddleOfALargeTensor) {
  std::vector<float> a(300'007, 0.5f);
  std::vector<float> b = a;
  b[123'456] = std::nextafter(0.5f, 1.0f);
  const ModelDifference difference = between({raw_tensor("w", "F32", a)}, {raw_tensor("w", "F32", b)});
  ASSERT_EQ(difference.changed.size(), 1u);
  EXPECT_EQ(difference.changed[0].difference.changed, 1);
  EXPECT_EQ(difference.changed[0].difference.largest, 0x1p-24);
}

TEST_F(DifferenceTest, TellsAddedRemovedReshapedAndRetyped) {
  RawTensor reshaped = raw_tensor("c", "F32", std::vector<float>{1, 2, 3, 4, 5, 6});
  reshaped.shape = {2, 3};
  const ModelDifference difference = between(
      {raw_tensor("a", "F32", std::vector<float>{1}), raw_tensor("c", "F32", std::vector<float>{1, 2, 3, 4, 5, 6}),
       raw_tensor("d", "F32", std::vector<float>{1, 2})},
      {raw_tensor("b", "F32", std::vector<float>{1}), reshaped, raw_tensor("d", "F64", std::vector<double>{1, 2})});
  ASSERT_EQ(difference.removed.size(), 1u);
  EXPECT_EQ(difference.removed[0]->name, "a");
  ASSERT_EQ(difference.added.size(), 1u);
  EXPECT_EQ(difference.added[0]->name, "b");
  ASSERT_EQ(difference.reshaped.size(), 1u);
  EXPECT_EQ(difference.reshaped[0].b->shape, (std::vector<int64_t>{2, 3}));
  ASSERT_EQ(difference.changed.size(), 1u) << "another dtype";
  EXPECT_EQ(difference.changed[0].difference.changed, 0);
}

TEST_F(DifferenceTest, PutsWhatMovedFurthestFirst) {
  const std::vector<float> still(64, 1), little(64, 1.01f), far(64, 2);
  const ModelDifference difference =
      between({raw_tensor("encoder.layer.0.w", "F32", still), raw_tensor("encoder.layer.1.w", "F32", still),
               raw_tensor("encoder.layer.1.x", "F32", still), raw_tensor("encoder.layer.2.w", "F32", still)},
              {raw_tensor("encoder.layer.0.w", "F32", little), raw_tensor("encoder.layer.1.w", "F32", far),
               raw_tensor("encoder.layer.1.x", "F32", still), raw_tensor("encoder.layer.2.w", "F32", still)});
  ASSERT_EQ(difference.groups.size(), 2u);
  EXPECT_EQ(difference.groups[0].name, "encoder.layer.1");
  EXPECT_DOUBLE_EQ(difference.groups[0].difference.relative_norm(), std::sqrt(0.5)) << "its unmoved tensor counts";
  EXPECT_EQ(difference.groups[1].name, "encoder.layer.0");
  EXPECT_EQ(difference.changed[0].a->name, "encoder.layer.1.w");
}

TEST_F(DifferenceTest, LeavesOutWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const ModelDifference difference = between({raw_tensor("w", "F32", std::vector<float>{1, NAN, infinity, 2})},
                                             {raw_tensor("w", "F32", std::vector<float>{1, 5, infinity, 3})});
  ASSERT_EQ(difference.changed.size(), 1u);
  EXPECT_EQ(difference.changed[0].difference.not_finite, 2);
  EXPECT_EQ(difference.changed[0].difference.changed, 2);
  EXPECT_EQ(difference.changed[0].difference.largest, 1);
}

TEST_F(DifferenceTest, FromZeroIsInfinite) {
  const ModelDifference difference =
      between({raw_tensor("w", "F32", std::vector<float>{0, 0})}, {raw_tensor("w", "F32", std::vector<float>{0, 1})});
  EXPECT_TRUE(std::isinf(difference.changed.at(0).difference.relative_norm()));
  EXPECT_TRUE(std::isnan(difference.changed.at(0).difference.cosine()));
}

TEST_F(DifferenceTest, ComparesOtherDtypesByTheirBytes) {
  const ModelDifference difference = between({raw_tensor("w", "F8_E5M2", std::vector<uint8_t>{1, 2})},
                                             {raw_tensor("w", "F8_E5M2", std::vector<uint8_t>{1, 3})});
  EXPECT_EQ(difference.changed.at(0).difference.changed, 2);
}

}  // namespace
}  // namespace bertha
