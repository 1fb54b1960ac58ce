#include "visualize/attention_text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace bertha {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(AttentionText, ALineIsAQueryWithItsStrongestKey) {
  const std::vector<std::string> tokens = {"[CLS]", "rain", "[SEP]"};
  const std::vector<double> weights = {0.8, 0.2, 0.0, 0.1, 0.4, 0.5, 0.04, 0.06, 0.9};
  EXPECT_EQ(attention_text(tokens, weights, {}),
            "                   0\n"
            "                   0 1 2 \n"
            "0 [CLS]            ▇▇▂▂·  → 0 [CLS]            0.8000\n"
            "1 rain             ▁▁▄▄▄▄ → 2 [SEP]            0.5000\n"
            "2 [SEP]            · ▁▁██ → 2 [SEP]            0.9000\n"
            "\n"
            "A line is a query, a column a key. █ is a weight of 0.9000, · one below 0.0563.\n");
}

TEST(AttentionText, MoreKeysThanHaveRoomComeBelow) {
  const std::vector<std::string> tokens(30, "x");
  const std::vector<double> weights(900, 1.0 / 30);
  const std::vector<std::string> lines = lines_of(attention_text(tokens, weights, {.width = 72}));
  EXPECT_EQ(lines[0], "                    0         10");
  EXPECT_EQ(lines[1], "                    01234567890123456789");
  EXPECT_EQ(lines[32], "");
  EXPECT_EQ(lines[33], "                    20");
  EXPECT_EQ(lines[34], "                    0123456789");
  EXPECT_EQ(lines.size(), 2u * 32 + 1 + 2);
}

TEST(AttentionText, TokensTakeTheirColumnsAndNothingReachesTheTerminal) {
  const std::vector<std::string> tokens = {"河川", "a\033[31mb\n", "averyverylongtoken", "e\xCC\x81", "\xFF"};
  const std::vector<double> weights(25, 0.2);
  const std::vector<std::string> lines = lines_of(attention_text(tokens, weights, {}));
  EXPECT_TRUE(lines[2].starts_with("0 河川             ██")) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("1 a?[31mb?         ██")) << lines[3];
  EXPECT_TRUE(lines[4].starts_with("2 averyverylongto… ██")) << lines[4];
  EXPECT_TRUE(lines[5].starts_with("3 e\xCC\x81                ██")) << lines[5];
  EXPECT_TRUE(lines[6].starts_with("4 ?                ██")) << lines[6];
}

TEST(AttentionText, ColorsOnlyWhereTheyAreAskedFor) {
  const std::vector<std::string> tokens = {"a", "b"};
  const std::vector<double> weights = {0.9, 0.1, 0.5, 0.5};
  EXPECT_EQ(attention_text(tokens, weights, {}).find('\033'), std::string::npos);
  const std::string colored = attention_text(tokens, weights, {.width = 80, .color = TerminalColors::kOn});
  EXPECT_NE(colored.find("\033[1m██\033[0m"), std::string::npos) << "the strongest of a line";
  EXPECT_NE(colored.find("\033[36m▁▁\033[0m"), std::string::npos);
}

}  // namespace
}  // namespace bertha
