#include "data/nearest_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bertha {
namespace {

using Names = std::vector<std::string_view>;

TEST(NearestName, IsTheOneWithFewestDifferences) {
  EXPECT_EQ(nearest_name("lable", Names{"table", "label", "text"}), "table") << "one difference, not two";
  EXPECT_EQ(nearest_name("sentenc", Names{"sentences", "sentence", ""}), "sentence");
  EXPECT_EQ(nearest_name("sentence", Names{"sentence1", "sentence2"}), "sentence1") << "the first of equals";
}

TEST(NearestName, IsEmptyWhereNoneIsNear) {
  EXPECT_EQ(nearest_name("label", Names{}), "");
  EXPECT_EQ(nearest_name("label", Names{"text", ""}), "");
  EXPECT_EQ(nearest_name("hypothesis", Names{"hypotheses_of"}), "hypotheses_of") << "three of twelve differ";
  EXPECT_EQ(nearest_name("premise", Names{"preface"}), "") << "three of seven differ";
  const std::string long_name(100, 'x');
  EXPECT_EQ(nearest_name(long_name, Names{long_name}), "") << "too long to be mistyped";
}

}  // namespace
}  // namespace bertha
