#include "data/tasks/text_words.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

TEST(TextWords, AreFoundWhereTheyStandAsWords) {
  EXPECT_EQ(find_words("a party of art", "art", Casing::kCased), (CodePoints{11, 14}));
  EXPECT_EQ(find_words("an artist", "art", Casing::kCased), std::nullopt);
  EXPECT_EQ(find_words("new ; New  York, New York", "New York", Casing::kCased), (CodePoints{6, 15}));
  EXPECT_EQ(find_words("it isn't", "isn't", Casing::kCased), (CodePoints{3, 8}));
}

TEST(TextWords, UncasedAreFoundWithoutRegardToCaseAndAccents) {
  EXPECT_EQ(find_words("Une É\u0301TÉ", "été", Casing::kUncased), (CodePoints{4, 8}));
  EXPECT_EQ(find_words("The Python", "python", Casing::kUncased), (CodePoints{4, 10}));
  EXPECT_EQ(find_words("The Python", "python", Casing::kCased), std::nullopt);
}

TEST(TextWords, NothingIsNowhere) {
  EXPECT_EQ(find_words("a b", " ", Casing::kCased), std::nullopt);
  EXPECT_EQ(find_words("", "a", Casing::kCased), std::nullopt);
}

}  // namespace
}  // namespace bertha
