#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_bertha.h"
#include "tests/data/small_byte_bpe.h"

namespace bertha {
namespace {

class TokenizeTest : public testing::Test {
 protected:
  TokenizeTest() {
    std::ofstream(model_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##able\nUn\n.\na\n";
  }

  CommandResult tokenize(const std::string& options, const std::string& input) const {
    return run_bertha("tokenize " + (model_ / "vocab.txt") + " " + options, input);
  }

  TemporaryDirectory model_;
};

TEST_F(TokenizeTest, PrintsALineOfIdsForEachTextOrPair) {
  const CommandResult result = tokenize("", "Unable.\n\na\tun [MASK]\tun\n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "2 5 6 8 3\n2 3\n2 9 3 5 4 5 3\n");
}

TEST_F(TokenizeTest, PrintsObjects) {
  const CommandResult result = tokenize("--json --max-length 5 --stride 1", R"({"text": "un a un a"})"
                                                                            "\n"
                                                                            R"({"text": "ün", "pair": "a"})");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, R"({"ids":[2,5,9,5,3],"tokens":["[CLS]","un","a","un","[SEP]"],"type_ids":[0,0,0,0,0],)"
                        R"("offsets":[[0,0],[0,2],[3,4],[5,7],[0,0]],"overflow":[[2,5,9,3]]})"
                        "\n"
                        R"({"ids":[2,5,3,9,3],"tokens":["[CLS]","un","[SEP]","a","[SEP]"],"type_ids":[0,0,0,1,1],)"
                        R"("offsets":[[0,0],[0,2],[0,0],[0,1],[0,0]],"overflow":[]})"
                        "\n");
}

TEST_F(TokenizeTest, CutsTheTextItIsTold) {
  EXPECT_EQ(tokenize("--max-length 5 --truncation only_first", "a a a\tun\n").out, "2 9 3 5 3\n");
  EXPECT_EQ(tokenize("--max-length 5 --truncation only_second", "a\tun un un\n").out, "2 9 3 5 3\n");
}

TEST_F(TokenizeTest, CasingComesFromTheModelUnlessGiven) {
  EXPECT_EQ(tokenize("--cased", "Un\n").out, "2 7 3\n");
  EXPECT_EQ(run_bertha("tokenize " + model_.path(), "Un\n").out, "2 5 3\n");
  std::ofstream(model_ / "tokenizer_config.json") << R"({"do_lower_case": false})";
  EXPECT_EQ(run_bertha("tokenize " + model_.path(), "Un\n").out, "2 7 3\n");
}

TEST_F(TokenizeTest, DecodesLinesOfIds) {
  const CommandResult result = tokenize("--decode", "2 5 6 8 3\n\n  9\t9 \n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "unable.\n\na a\n");
}

TEST_F(TokenizeTest, ErrorsNameTheLine) {
  const auto expect = [&](const CommandResult& result, int exit_code, const std::string& err) {
    EXPECT_EQ(result.exit_code, exit_code);
    EXPECT_EQ(result.err, "bertha: " + err + "\n");
  };
  expect(tokenize("", "a\nun\xFF\n"), 3, "standard input:2: byte 2 (value 255) is not UTF-8");
  expect(tokenize("--json", "{}\n"), 3, "standard input:1: 'text' is missing");
  expect(tokenize("--json", "{\"text\": 3}\n"), 3, "standard input:1: 'text' is not a string");
  expect(tokenize("--json", "a\n"), 3, "standard input:1: not a JSON object (expected {\"text\", \"pair\"?})");
  expect(tokenize("--decode", "9 9x\n"), 3, "standard input:1: '9x' is not a token id");
  expect(tokenize("--decode", "9 99999999999\n"), 3, "standard input:1: '99999999999' is not a token id");
  expect(tokenize("--decode", "9 10\n"), 4, "vocabulary: id 10 is outside its 10 tokens");
  expect(tokenize("--max-length 2", "a\n"), 2, "tokenize: max_length leaves no room for a token of a text of 1 tokens");
}

TEST_F(TokenizeTest, ReadsByteLevelBpe) {
  const TemporaryDirectory model;
  const ByteBpe bpe(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "test");
  for (const auto& [name, content] : bpe.files(512)) std::ofstream(model / name) << content;
  const auto id = [&](const char* token) { return std::to_string(bpe.find(token).value()); };
  const std::string ids = "0 " + id("hello") + " " + id("Ġhello") + " 2 2 " + id("<mask>") + " 2\n";
  EXPECT_EQ(run_bertha("tokenize " + model.path(), "hello hello\t<mask>\n").out, ids);
  EXPECT_EQ(run_bertha("tokenize " + (model / "vocab.json"), "hello hello\t<mask>\n").out, ids);
  EXPECT_EQ(run_bertha("tokenize --decode " + model.path(), ids).out, "hello hello\n");
  const CommandResult objects = run_bertha("tokenize --json " + model.path(), R"({"text": "é <mask>"})");
  EXPECT_EQ(nlohmann::json::parse(objects.out)["tokens"], (std::vector{"<s>", "Ã", "©", "<mask>", "</s>"}));
  EXPECT_EQ(nlohmann::json::parse(objects.out)["offsets"].dump(), "[[0,0],[0,1],[0,1],[2,8],[0,0]]");
  std::ofstream(model / "merges.txt") << "#version: 0.2\nh e l\n";
  const CommandResult damaged = run_bertha("tokenize " + model.path(), "");
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_EQ(damaged.err, "bertha: " + (model / "merges.txt") + ":2: not two tokens with a blank between them\n");
}

TEST_F(TokenizeTest, WrongUsage) {
  EXPECT_EQ(run_bertha("tokenize", "").exit_code, 2);
  EXPECT_EQ(run_bertha("tokenize " + (model_ / "missing"), "").exit_code, 2);
  EXPECT_EQ(tokenize("--stride 1", "a\n").exit_code, 2) << "without --max-length";
  EXPECT_EQ(tokenize("--max-length 0", "a\n").exit_code, 2);
  EXPECT_EQ(tokenize("--max-length 9 --truncation first", "a\n").exit_code, 2);
  EXPECT_EQ(tokenize("--decode --json", "a\n").exit_code, 2);
}

}  // namespace
}  // namespace bertha
