#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "data/printable.h"
#include "tests/cli/run_bertha.h"
#include "tests/temporary_directory.h"
#include "tests/train/model_files.h"

namespace bertha {
namespace {

using nlohmann::json;

const std::string kModel = BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_mlm";
const std::string kVocabulary = "bert.embeddings.word_embeddings.weight";

class VisualizeEmbeddings : public testing::Test {
 protected:
  VisualizeEmbeddings() {
    for (const char* name : {"model.safetensors", "vocab.txt", "config.json"}) {
      std::filesystem::copy(kModel + "/" + name, model_ / name);
    }
  }

  static CommandResult map(const std::string& arguments) { return run_bertha("visualize embeddings " + arguments, ""); }

  void expect_refusal(const std::string& arguments, int exit_code, const std::string& sentence) const {
    const CommandResult result = map(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.err, "bertha: " + sentence + "\n");
    EXPECT_FALSE(std::filesystem::exists(page()));
  }

  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }

  std::vector<std::vector<double>> vectors() const {
    std::ifstream lines(folder_ / "tsv/vectors.tsv");
    std::vector<std::vector<double>> rows;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream numbers(line);
      rows.emplace_back(std::istream_iterator<double>(numbers), std::istream_iterator<double>());
    }
    return rows;
  }

  std::string page() const { return folder_ / "page.html"; }
  std::string to_page() const { return " --output " + page(); }
  std::string to_tsv() const { return " --tsv " + (folder_ / "tsv"); }

  TemporaryDirectory folder_, model_;
};

TEST_F(VisualizeEmbeddings, OfTheVocabularyAreTheRowsOfTheEmbeddingMatrix) {
  const CommandResult result = map(kModel + to_page() + to_tsv() + " --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report["points"], 116);
  EXPECT_EQ(report["dimensions"], 32);
  EXPECT_EQ(report["explained_variance"].size(), 10u);
  EXPECT_EQ(report["bytes"], std::filesystem::file_size(page()));
  for (const char* kind : {"pca", "umap"}) EXPECT_GT(report["quality"][kind]["trustworthiness"], 0.5) << kind;
  std::vector<float> matrix(116 * 32);
  SafetensorsFile(kModel + "/model.safetensors").read(kVocabulary, matrix);
  const auto rows = vectors();
  ASSERT_EQ(rows.size(), 116u);
  for (size_t i = 0; i < matrix.size(); ++i) ASSERT_EQ(static_cast<float>(rows[i / 32][i % 32]), matrix[i]);
}

TEST_F(VisualizeEmbeddings, OfTextsAreThoseThatPredictGives) {
  const std::string texts = file("texts.txt", "the fox runs\n\na bell\nthe tree sings over the sea\n");
  ASSERT_EQ(map(kModel + " --data " + texts + to_tsv()).exit_code, 0);
  const auto rows = vectors();
  ASSERT_EQ(rows.size(), 3u);
  const CommandResult predicted =
      run_bertha("predict " + kModel + " --task embedding --json 'the tree sings over the sea'", "");
  const auto expected = json::parse(predicted.out)["embedding"].get<std::vector<double>>();
  ASSERT_EQ(rows[2].size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(rows[2][i], expected[i], 1e-5);
}

TEST_F(VisualizeEmbeddings, OfTokensAreTheirLastHiddenStates) {
  const std::string texts = file("texts.tsv", "sentence\tlabel\nthe fox runs\tx\na bell\ty\n");
  const CommandResult result =
      map(kModel + " --of tokens --text-column sentence --color-column label --data " + texts + to_tsv());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto rows = vectors();
  const json expected =
      json::parse(run_bertha("predict " + kModel + " --task embedding --pooling tokens --json 'the fox runs'", "")
                      .out)["embedding"];
  ASSERT_GE(rows.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t j = 0; j < rows[i].size(); ++j) EXPECT_NEAR(rows[i][j], expected[i][j].get<double>(), 1e-5);
  }
  std::ifstream metadata(folder_ / "tsv/metadata.tsv");
  std::string names, first, second;
  std::getline(std::getline(std::getline(metadata, names), first), second);
  EXPECT_EQ(names, "name\tid\tkind\tposition\tline\tnorm\ttext\tlabel");
  EXPECT_TRUE(std::regex_match(first, std::regex("\\[CLS\\]\t2\tspecial\t0\t2\t[0-9.]+\tthe fox runs\tx"))) << first;
  EXPECT_TRUE(std::regex_match(second, std::regex("the\t[0-9]+\tword\t1\t2\t[0-9.]+\tthe fox runs\tx"))) << second;
}

TEST_F(VisualizeEmbeddings, TextsThatAreCutAreCounted) {
  std::string longer = "the";
  for (int i = 0; i < 30; ++i) longer += " the";
  const std::string texts = file("texts.txt", "a\n" + longer + "\nthe\n");
  EXPECT_EQ(json::parse(map(kModel + " --json --data " + texts + to_tsv()).out)["cut_texts"], 1);
}

TEST_F(VisualizeEmbeddings, AreTheSameFileEveryTime) {
  const std::string once = folder_ / "once.html", again = folder_ / "again.html";
  ASSERT_EQ(run_command(std::string("env OMP_NUM_THREADS=1 ") + BERTHA_BINARY + " visualize embeddings " + kModel +
                            " --output " + once,
                        "")
                .exit_code,
            0);
  ASSERT_EQ(run_command(std::string("env OMP_NUM_THREADS=3 ") + BERTHA_BINARY + " visualize embeddings " + kModel +
                            " --output " + again,
                        "")
                .exit_code,
            0);
  EXPECT_EQ(run_command("cmp " + once + " " + again, "").exit_code, 0);
}

TEST_F(VisualizeEmbeddings, CanBeLookedAtInATerminal) {
  const CommandResult result =
      run_command("COLUMNS=40 LINES=25 " BERTHA_BINARY " visualize embeddings " + kModel + " --terminal", "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 20 + 3);
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line) && !line.starts_with("116");)
    EXPECT_LE(display_width(line), 40) << line;
  EXPECT_NE(result.out.find("116 points of 32 dimensions\n"), std::string::npos) << result.out;
  EXPECT_EQ(map(kModel + " --terminal --json").exit_code, 2);
}

TEST_F(VisualizeEmbeddings, AVocabularyThatDoesNotFitTheModelIsRefused) {
  std::ofstream(model_ / "vocab.txt", std::ios::app) << "onemore\n";
  const CommandResult result = map(model_.path() + to_page());
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("117"), std::string::npos) << result.err;
}

TEST_F(VisualizeEmbeddings, NumbersThatAreNotFiniteAreNamed) {
  const std::string token = "[MASK]";
  std::ifstream vocabulary(model_ / "vocab.txt");
  size_t id = 0;
  for (std::string line; std::getline(vocabulary, line) && line != token;) ++id;
  Weights weights{SafetensorsFile(kModel + "/model.safetensors")};
  weights.add(kVocabulary, {116, 32})[id * 32 + 5] = std::numeric_limits<float>::quiet_NaN();
  weights.write(model_.path());
  expect_refusal(model_.path() + to_page(), 3,
                 "embeddings: the vector of '[MASK]' (number " + std::to_string(id) + ") is not finite");
}

TEST_F(VisualizeEmbeddings, AnUnknownColumnNamesThoseThereAre) {
  const std::string table = file("a.csv", "text,label\na,x\n");
  expect_refusal(kModel + " --color-column labels --data " + table + to_page(), 2,
                 table + ": no column 'labels' (there are 'text', 'label'; did you mean 'label'?)");
}

TEST_F(VisualizeEmbeddings, OptionsThatDoNotGoTogetherAreRefused) {
  const std::string texts = file("a.txt", "a\nthe\n");
  expect_refusal(kModel, 2, "visualize embeddings: nothing to do (--output PAGE, --tsv DIRECTORY or --terminal)");
  expect_refusal(kModel + " --of tokens" + to_page(), 2,
                 "--of: sentences and tokens are those of a file (--data FILE)");
  expect_refusal(kModel + " --of vocabulary --data " + texts + to_page(), 2,
                 "--data: the vocabulary is the model's own (--of sentences or --of tokens)");
  expect_refusal(kModel + " --text-column a" + to_page(), 2,
                 "--text-column, --color-column: are those of a file (--data FILE)");
  expect_refusal(kModel + " --data " + texts + to_page(), 2, "embeddings: 2 texts (from 3 to 100000 make a map)");
  expect_refusal(kModel + " --output " + (folder_ / "no/page.html"), 2,
                 (folder_ / "no/page.html") + ": its directory does not exist");
  EXPECT_EQ(map(kModel + " --data " + (folder_ / "missing.txt") + to_page()).exit_code, 2);
}

}  // namespace
}  // namespace bertha
