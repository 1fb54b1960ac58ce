#include "visualize/token_kind.h"

#include <gtest/gtest.h>

#include <map>

#include "data/wordpiece.h"
#include "tests/data/small_byte_bpe.h"

namespace bertha {
namespace {

TEST(TokenKind, OfWordPiece) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"[PAD]", "special"},   {"[UNK]", "special"},    {"[CLS]", "special"}, {"[SEP]", "special"},
      {"[MASK]", "special"},  {"[unused7]", "unused"}, {"house", "word"},    {"##ing", "piece"},
      {"1984", "digits"},     {"##12", "digits"},      {"٣", "digits"},      {"!", "punctuation"},
      {"##?", "punctuation"}, {"→", "punctuation"},    {"4th", "word"},      {"東", "word"},
      {"##", "piece"},        {"[unused", "word"},     {"ा", "word"}};
  std::vector<std::string> tokens;
  for (const auto& [token, kind] : expected) tokens.push_back(token);
  const WordPiece tokenizer(Vocabulary(tokens, "test"), /*lowercase=*/true);
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    EXPECT_EQ(token_kind(tokenizer, id), expected[static_cast<size_t>(id)].second) << tokenizer.token(id);
  }
}

TEST(TokenKind, OfByteLevelBpe) {
  const ByteBpe tokenizer(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "test");
  const std::map<std::string, std::string> expected = {{"<mask>", "special"}, {"Ġhello", "word"}, {"hello", "piece"},
                                                       {"!", "punctuation"},  {"7", "digits"},    {"ð", "piece"}};
  for (const auto& [token, kind] : expected) EXPECT_EQ(token_kind(tokenizer, *tokenizer.find(token)), kind) << token;
}

}  // namespace
}  // namespace bertha
