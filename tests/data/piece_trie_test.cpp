#include "data/piece_trie.h"

#include <gtest/gtest.h>

#include <map>

#include "autograd/core/random.h"

namespace bertha {
namespace {

TEST(PieceTrie, FindsTheLongestToken) {
  const std::vector<std::string> tokens = {"a", "ab", "abcd", "##b", "##bc", "é"};
  const PieceTrie trie(tokens);
  EXPECT_EQ(trie.longest_token("abc").id, 1);
  EXPECT_EQ(trie.longest_token("abc").length, 2u);
  EXPECT_EQ(trie.longest_token("abcde").id, 2);
  EXPECT_EQ(trie.longest_token("éa").id, 5);
  EXPECT_EQ(trie.longest_token("bc").length, 0u);
  EXPECT_EQ(trie.longest_token("").length, 0u);
  EXPECT_EQ(trie.longest_continuation("bcd").id, 4);
  EXPECT_EQ(trie.longest_continuation("a").length, 0u);
}

TEST(PieceTrie, WithoutContinuations) {
  const std::vector<std::string> tokens = {"a", "#", "##"};
  const PieceTrie trie(tokens);
  EXPECT_EQ(trie.longest_token("##a").id, 2);
  EXPECT_EQ(trie.longest_continuation("a").length, 0u);
  EXPECT_EQ(PieceTrie({}).longest_token("a").length, 0u);
  EXPECT_EQ(PieceTrie({}).longest_continuation("a").length, 0u);
}

TEST(PieceTrie, AgreesWithASearchOverAllTokens) {
  RandomStream random(1, "test");
  const auto word = [&](uint32_t letters, uint32_t longest) {
    std::string text;
    for (uint32_t i = random.below(longest) + 1; i > 0; --i)
      text.push_back(static_cast<char>(random.below(letters) * 37));
    return text;
  };
  std::map<std::string, int32_t> ids;
  std::vector<std::string> tokens;
  while (tokens.size() < 3000) {
    const std::string token = word(tokens.size() % 2 ? 4 : 256, 8);
    if (ids.emplace(token, static_cast<int32_t>(tokens.size())).second) tokens.push_back(token);
  }
  const PieceTrie trie(tokens);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = word(i % 2 ? 4 : 256, 12);
    PieceTrie::Match expected;
    for (size_t length = 1; length <= text.size(); ++length) {
      const auto found = ids.find(text.substr(0, length));
      if (found != ids.end()) expected = {found->second, length};
    }
    const PieceTrie::Match match = trie.longest_token(text);
    ASSERT_EQ(match.length, expected.length);
    ASSERT_EQ(match.id, expected.id);
  }
}

}  // namespace
}  // namespace bertha
