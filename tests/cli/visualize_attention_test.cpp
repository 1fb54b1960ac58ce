#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/cli/run_bertha.h"
#include "tests/cli/small_finetuning.h"
#include "tests/data/small_byte_bpe.h"

namespace bertha {
namespace {

using nlohmann::json;

const std::string kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";

CommandResult visualize(const std::string& model, const std::string& arguments) {
  return run_bertha("visualize attention " + kModels + model + " " + arguments, "");
}

std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "river ";
  return text;
}

TEST(VisualizeAttention, PrintsTokensAndWeights) {
  const CommandResult result = visualize("bert_mlm", "--json --text 'Morning rain over the [MASK].' --pair 'a river'");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json object = json::parse(result.out);
  EXPECT_EQ(object["tokens"],
            json({"[CLS]", "morning", "rain", "over", "the", "[MASK]", ".", "[SEP]", "a", "river", "[SEP]"}));
  const json& attentions = object["attentions"];
  ASSERT_EQ(attentions.size(), 2u);
  ASSERT_EQ(attentions[1].size(), 4u);
  for (const json& layer : attentions) {
    for (const json& head : layer) {
      ASSERT_EQ(head.size(), 11u);
      for (const json& row : head) {
        ASSERT_EQ(row.size(), 11u);
        double sum = 0;
        for (const json& weight : row) sum += weight.get<double>();
        EXPECT_NEAR(sum, 1, 1e-5);
      }
    }
  }
}

TEST(VisualizeAttention, TakesModelsOfAnyFamilyAndHead) {
  for (const auto& entry : std::filesystem::directory_iterator(kModels)) {
    const CommandResult result = visualize(entry.path().filename(), "--json --text 'the river'");
    ASSERT_EQ(result.exit_code, 0) << entry.path() << ": " << result.err;
    EXPECT_EQ(json::parse(result.out)["tokens"].size(), 4u) << entry.path();
  }
}

TEST(VisualizeAttention, CutsALongTextAndSaysSo) {
  const CommandResult result = visualize("bert_mlm", "--json --text '" + words(40) + "'");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const size_t longest = json::parse(std::ifstream(kModels + "bert_mlm/config.json"))["max_position_embeddings"];
  EXPECT_EQ(json::parse(result.out)["tokens"].size(), longest);
  EXPECT_EQ(result.err,
            "text: cut to " + std::to_string(longest) + " tokens; " + std::to_string(42 - longest) + " left out\n");
  const CommandResult short_one = visualize("bert_mlm", "--json --max-length 6 --text '" + words(5) + "'");
  EXPECT_EQ(json::parse(short_one.out)["tokens"].size(), 6u);
  EXPECT_EQ(short_one.err, "text: cut to 6 tokens; 1 left out\n");
}

TEST(VisualizeAttention, ATerminalShowsOneLayer) {
  const CommandResult mean = visualize("bert_mlm", "--terminal --text 'the river'");
  ASSERT_EQ(mean.exit_code, 0) << mean.err;
  EXPECT_TRUE(mean.out.starts_with("Layer 0 of 2, mean over 4 heads\n\n")) << mean.out;
  const CommandResult head = visualize("bert_mlm", "--terminal --text 'the river' --layer 1 --head 3");
  EXPECT_TRUE(head.out.starts_with("Layer 1 of 2, head 3 of 4\n\n")) << head.out;
  EXPECT_NE(head.out.find("1 the "), std::string::npos);
  EXPECT_NE(head.out, mean.out);
  EXPECT_EQ(head.out.find('\033'), std::string::npos) << "standard output is no terminal";
}

// What `script` makes of it: the program writes to a terminal.
std::string on_terminal(const std::string& environment, const std::string& arguments) {
  const std::string command = std::string(BERTHA_BINARY) + " visualize attention " + kModels + "bert_mlm " + arguments;
  return run_command(environment + " script -qec \"" + command + "\" /dev/null", "").out;
}

TEST(VisualizeAttention, ColorsATerminalUnlessNoColorIsSet) {
  if (std::system("command -v script >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no script(1)";
  const std::string arguments = "--terminal --text 'the river'";
  EXPECT_NE(on_terminal("", arguments).find("\033[1m"), std::string::npos);
  const std::string plain = on_terminal("NO_COLOR=1", arguments);
  EXPECT_NE(plain.find("Layer 0"), std::string::npos);
  EXPECT_EQ(plain.find("\033["), std::string::npos);
}

TEST(VisualizeAttention, WritesAPage) {
  const TemporaryDirectory folder;
  const std::string page = folder / "page.html";
  const CommandResult result = visualize("bert_mlm", "--text 'the river' --output " + page);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with(page + " (0.")) << result.out;
  EXPECT_TRUE(read_file(page).starts_with("<!DOCTYPE html>"));
}

TEST(VisualizeAttention, ComparesModelsThatReadTheSameTokens) {
  const TemporaryDirectory folder;
  const std::string arguments = "--text 'the river' --output " + (folder / "page.html") + " --compare ";
  EXPECT_EQ(visualize("bert_mlm", arguments + kModels + "distilbert_mlm").exit_code, 0);
  const std::string other = folder / "other";
  std::filesystem::create_directory(other);
  for (const char* name : {"config.json", "model.safetensors"}) {
    std::filesystem::copy(kModels + "bert_mlm/" + name, other + "/" + name);
  }
  const std::string vocabulary = read_file(kModels + "bert_mlm/vocab.txt");
  std::ofstream(other + "/vocab.txt") << std::regex_replace(vocabulary, std::regex("\nriver\n"), "\nrivers\n");
  const CommandResult result = visualize("bert_mlm", arguments + other);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_TRUE(std::regex_match(
      result.err,
      std::regex("bertha: .*other: reads the text as other tokens than .*bert_mlm \\('.*' at place 2, expected "
                 "'river'\\)\n")))
      << result.err;
}

TEST(VisualizeAttention, BadInputIsOneSentenceAndTheRightCode) {
  struct Case {
    std::string arguments;
    int exit_code;
    std::string sentence;
  };
  const std::vector<Case> cases = {
      {"--json", 2, "--text is required"},
      {"--text river", 2, "Exactly 1 option from [--output,--json,--terminal] is required"},
      {"--text river --json --terminal", 2, "2 were given"},
      {"--text river --json --layer 1", 2, "--layer requires --terminal"},
      {"--text river --json --compare x", 2, "--compare requires --output"},
      {"--text river --terminal --layer 2", 2, "--layer: 2 (the model has 2 layers, counted from 0)"},
      {"--text river --terminal --head 4", 2, "--head: 4 (the model has 4 heads, counted from 0)"},
      {"--text river --terminal --layer -1", 2, "--layer"},
      {"--text river --json --max-length 1", 2, "max_length"},
      {"--text $'river\\xff' --json", 3, "UTF-8"},
      {"--text river --output /nonexistent/page.html", 1, "/nonexistent/page.html"},
      {"--text river --output x.html --compare /nonexistent", 2, "/nonexistent"},
  };
  for (const Case& c : cases) {
    const CommandResult result = run_command(
        "bash -c \"" BERTHA_BINARY " visualize attention " + kModels + "bert_mlm " + c.arguments + "\"", "");
    EXPECT_EQ(result.exit_code, c.exit_code) << c.arguments << ": " << result.err;
    EXPECT_NE(result.err.find(c.sentence), std::string::npos) << c.arguments << ": " << result.err;
  }
  EXPECT_EQ(run_bertha("visualize attention /nonexistent --text river --json", "").exit_code, 2);
  EXPECT_EQ(run_bertha("visualize", "").exit_code, 2);
}

}  // namespace
}  // namespace bertha
