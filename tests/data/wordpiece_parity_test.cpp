#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "data/wordpiece.h"
#include "tests/shared_folder.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<fs::path> case_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The vocabulary a case file names, beside it or in a folder of its name; else the published one.
fs::path vocabulary_of(const fs::path& case_file, const json& cases) {
  const fs::path name = cases.at("vocab").get<std::string>();
  const fs::path folder = case_file.parent_path();
  const fs::path published =
      fs::path("bert-base-" + std::string(cases.at("lowercase").get<bool>() ? "uncased" : "cased"));
  std::vector<fs::path> places = {folder / name, folder / case_file.stem() / name,
                                  folder / "../../data/vocab" / published / name};
  if (const auto shared = shared_folder()) places.push_back(*shared / "data/vocab" / published / name);
  for (const fs::path& place : places) {
    if (fs::exists(place)) return place;
  }
  throw std::runtime_error(case_file.string() + ": its vocabulary '" + name.string() + "' is not found");
}

EncodeOptions options_of(const json& example) {
  EncodeOptions options;
  options.max_length = example.value("max_length", int64_t{0});
  options.stride = example.value("stride", int64_t{0});
  const std::string strategy = example.value("strategy", "longest_first");
  if (strategy == "only_first") options.truncation = Truncation::kOnlyFirst;
  if (strategy == "only_second") options.truncation = Truncation::kOnlySecond;
  return options;
}

std::vector<std::string> tokens_of(const WordPiece& wordpiece, const Encoding& encoding) {
  std::vector<std::string> tokens;
  for (const int32_t id : encoding.ids) tokens.push_back(wordpiece.vocabulary().token(id));
  return tokens;
}

void expect_encodes(const WordPiece& wordpiece, const json& example) {
  const auto text = example.at("text").get<std::string>();
  const auto pair = example.contains("pair") && !example["pair"].is_null()
                        ? std::optional(example["pair"].get<std::string>())
                        : std::nullopt;
  const Encoding encoding = wordpiece.encode(text, pair, options_of(example));
  EXPECT_EQ(encoding.ids, example.at("ids").get<std::vector<int32_t>>());
  EXPECT_EQ(tokens_of(wordpiece, encoding), example.at("tokens").get<std::vector<std::string>>());
  EXPECT_EQ(encoding.type_ids, example.at("type_ids").get<std::vector<int32_t>>());
  EXPECT_EQ(encoding.offsets, (example.at("offsets").get<std::vector<std::pair<int64_t, int64_t>>>()));
  if (example.contains("overflow")) {
    std::vector<std::vector<int32_t>> overflow;
    for (const Encoding& window : encoding.overflow) overflow.push_back(window.ids);
    EXPECT_EQ(overflow, example["overflow"].get<std::vector<std::vector<int32_t>>>());
  }
}

void expect_append_ids_agrees(const WordPiece& wordpiece, const std::string& text) {
  std::vector<int32_t> ids = {wordpiece.vocabulary().cls()};
  wordpiece.append_ids(text, ids);
  ids.push_back(wordpiece.vocabulary().sep());
  EXPECT_EQ(ids, wordpiece.encode(text, std::nullopt, {}).ids);
}

void run_cases(const fs::path& folder) {
  const std::vector<fs::path> files = case_files(folder);
  ASSERT_FALSE(files.empty()) << folder << " holds no case file";
  for (const fs::path& file : files) {
    const json cases = json::parse(std::ifstream(file));
    const WordPiece wordpiece(Vocabulary::read(vocabulary_of(file, cases)), cases.at("lowercase").get<bool>());
    ASSERT_FALSE(cases.at("cases").empty()) << file;
    for (const json& example : cases.at("cases")) {
      SCOPED_TRACE(file.string() + ": " + example.dump());
      expect_encodes(wordpiece, example);
      expect_append_ids_agrees(wordpiece, example.at("text").get<std::string>());
    }
    for (const json& example : cases.at("decode")) {
      SCOPED_TRACE(file.string() + ": " + example.dump());
      EXPECT_EQ(wordpiece.decode(example.at("ids").get<std::vector<int32_t>>()),
                example.at("decoded").get<std::string>());
    }
  }
}

bool other_cases_are_given() {
  return std::getenv("BERTHA_WORDPIECE_CASES") != nullptr;
}

TEST(WordPieceParity, GivenCases) {
  if (!other_cases_are_given()) GTEST_SKIP() << "BERTHA_WORDPIECE_CASES names no folder";
  run_cases(std::getenv("BERTHA_WORDPIECE_CASES"));
}

TEST(WordPieceParity, SmallVocabulary) {
  if (other_cases_are_given()) GTEST_SKIP() << "BERTHA_WORDPIECE_CASES names other cases";
  run_cases(fs::path(BERTHA_SOURCE_DIR) / "tests/fixtures/wordpiece");
}

TEST(WordPieceParity, PublishedVocabularies) {
  if (other_cases_are_given()) GTEST_SKIP() << "BERTHA_WORDPIECE_CASES names other cases";
  const auto shared = shared_folder();
  if (!shared) GTEST_SKIP() << "the folder with reference results is not here (BERTHA_SHARED)";
  run_cases(*shared / "fixtures/wordpiece");
}

}  // namespace
}  // namespace bertha
