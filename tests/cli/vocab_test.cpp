#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/cli/run_bertha.h"

namespace bertha {
namespace {

class VocabTest : public testing::Test {
 protected:
  VocabTest() { std::ofstream(folder_ / "text") << "Tide after tide came in.\n\nNo tide stays.\n"; }

  CommandResult vocab(const std::string& options) const {
    return run_bertha("vocab " + (folder_ / "text") + " --output " + output() + " " + options, "");
  }
  std::string output() const { return folder_ / "vocab.txt"; }
  std::string learnt() const {
    std::ifstream file(output());
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  TemporaryDirectory folder_;
};

TEST_F(VocabTest, WritesAVocabularyOfTheSize) {
  const CommandResult result = vocab("--size 24");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(learnt().starts_with("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n.\na\nc\ni\nn\n"));
  EXPECT_EQ(std::ranges::count(learnt(), '\n'), 24);
  EXPECT_EQ(run_bertha("tokenize " + output(), "").exit_code, 0);
}

TEST_F(VocabTest, ReadsCompressedTextAndJsonLines) {
  vocab("--size 24");
  const std::string expected = learnt();
  std::ofstream(folder_ / "a.jsonl") << R"({"text": "Tide after tide came in.\n\nNo tide stays."})";
  ASSERT_EQ(run_command("gzip -k " + (folder_ / "text") + " " + (folder_ / "a.jsonl"), "").exit_code, 0);
  for (const std::string name : {"text.gz", "a.jsonl", "a.jsonl.gz"}) {
    EXPECT_EQ(run_bertha("vocab " + (folder_ / name) + " --size 24 --output " + output(), "").err, "") << name;
    EXPECT_EQ(learnt(), expected) << name;
    std::filesystem::remove(output());
  }
}

TEST_F(VocabTest, CasedKeepsCapitals) {
  vocab("--size 40");
  EXPECT_EQ(learnt().find("T\n"), std::string::npos);
  vocab("--size 40 --cased");
  EXPECT_NE(learnt().find("T\n"), std::string::npos);
}

TEST_F(VocabTest, SaysWhereItStaysBelowTheSize) {
  const CommandResult result = vocab("--size 1000 --memory 2M");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("tokens instead of 1000"), std::string::npos) << result.err;
}

TEST_F(VocabTest, ErrorsLeaveTheOutputAlone) {
  std::ofstream(output()) << "as it was";
  EXPECT_EQ(vocab("--size 10").exit_code, 2) << "fewer than characters";
  EXPECT_EQ(vocab("").exit_code, 2) << "no size";
  EXPECT_EQ(vocab("--size 100 --memory 1K").exit_code, 2);
  EXPECT_EQ(run_bertha("vocab " + (folder_ / "missing") + " --size 100 --output " + output(), "").exit_code, 2);
  std::ofstream(folder_ / "text") << " \n";
  EXPECT_EQ(vocab("--size 100").exit_code, 2) << "no word";
  std::ofstream(folder_ / "text") << "good\nb\xE4"
                                     "d\n";
  const CommandResult result = vocab("--size 100");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.err, "bertha: " + (folder_ / "text") + ": byte 6 (value 228) is not UTF-8\n");
  std::ofstream(folder_ / "text.gz") << "no gzip";
  EXPECT_EQ(run_bertha("vocab " + (folder_ / "text.gz") + " --size 100 --output " + output(), "").exit_code, 3);
  EXPECT_EQ(learnt(), "as it was");
}

TEST_F(VocabTest, AnOutputThatCannotBeWrittenIsAnError) {
  EXPECT_EQ(run_bertha("vocab " + (folder_ / "text") + " --size 100 --output " + (folder_ / "no/v.txt"), "").exit_code,
            1);
}

}  // namespace
}  // namespace bertha
