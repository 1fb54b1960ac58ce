#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "data/byte_bpe.h"
#include "data/unicode.h"
#include "data/wordpiece.h"
#include "tests/python.h"
#include "tests/shared_folder.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using Ids = std::vector<int32_t>;
using Ranges = std::vector<TextRange>;

const fs::path kFixtures = fs::path(BERTHA_SOURCE_DIR) / "tests/fixtures";

EncodeOptions options_of(const json& example) {
  EncodeOptions options;
  options.max_length = example.value("max_length", int64_t{0});
  options.stride = example.value("stride", int64_t{0});
  const std::string strategy = example.value("strategy", "longest_first");
  if (strategy == "only_first") options.truncation = Truncation::kOnlyFirst;
  if (strategy == "only_second") options.truncation = Truncation::kOnlySecond;
  return options;
}

void expect_encodes(const Tokenizer& tokenizer, const json& example, bool add_prefix_space) {
  const auto pair = example.contains("pair") ? std::optional(example["pair"].get<std::string>()) : std::nullopt;
  const Encoding encoding = tokenizer.encode(example.at("text").get<std::string>(), pair, options_of(example));
  std::vector<std::string> tokens;
  for (const int32_t id : encoding.ids) tokens.push_back(tokenizer.token(id));
  EXPECT_EQ(encoding.ids, example.at("ids").get<Ids>());
  EXPECT_EQ(tokens, example.at("tokens").get<std::vector<std::string>>());
  EXPECT_EQ(encoding.type_ids, example.at("type_ids").get<Ids>());
  EXPECT_EQ(encoding.offsets, example.at("offsets").get<Ranges>());
  std::vector<Ids> overflow;
  std::vector<Ranges> overflow_offsets;
  for (const Encoding& window : encoding.overflow) {
    overflow.push_back(window.ids);
    overflow_offsets.push_back(window.offsets);
  }
  EXPECT_EQ(overflow, example.at("overflow").get<std::vector<Ids>>());
  // With a prefix the reference takes the first token of every window for the first of the text.
  if (!add_prefix_space) {
    EXPECT_EQ(overflow_offsets, example.at("overflow_offsets").get<std::vector<Ranges>>());
  }
}

void run_cases(const fs::path& file, const fs::path& vocabulary_folder) {
  const json cases = json::parse(std::ifstream(file));
  const bool add_prefix_space = cases.at("add_prefix_space").get<bool>();
  const fs::path vocabulary = vocabulary_folder / cases.at("vocab").get<std::string>();
  const ByteBpe bpe(read_vocabulary_json(vocabulary),
                    read_merges(vocabulary_folder / cases.at("merges").get<std::string>()),
                    {.add_prefix_space = add_prefix_space}, vocabulary.string());
  ASSERT_FALSE(cases.at("cases").empty());
  for (const json& example : cases.at("cases")) {
    SCOPED_TRACE(example.dump());
    expect_encodes(bpe, example, add_prefix_space);
  }
  for (const json& example : cases.at("decode")) {
    SCOPED_TRACE(example.dump());
    EXPECT_EQ(bpe.decode(example.at("ids").get<Ids>()), example.at("decoded").get<std::string>());
  }
}

TEST(ByteBpeParity, SmallVocabulary) {
  for (const char* name : {"plain.json", "prefixed.json"})
    run_cases(kFixtures / "byte_bpe" / name, kFixtures / "byte_bpe");
}

/// Runs a script of the fixtures folder; false, and a failure, where it fails.
bool run_script(const std::string& arguments) {
  const std::string command = "'" + python() + "' " + (kFixtures / arguments).string();
  const int status = std::system(command.c_str());
  EXPECT_EQ(status, 0) << command;
  return status == 0;
}

class PublishedByteBpeParity : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(PublishedByteBpeParity, EqualsTokenizers) {
  const auto shared = shared_folder();
  if (!shared) GTEST_SKIP() << "the folder with published vocabularies is not here (BERTHA_SHARED)";
  if (!python_has("tokenizers")) GTEST_SKIP() << python() << " has no tokenizers (BERTHA_PYTHON names another)";
  const auto& [vocabulary, options] = GetParam();
  const TemporaryDirectory folder;
  const fs::path published = *shared / "data/vocab/byte-bpe";
  ASSERT_TRUE(run_script("make_byte_bpe.py --vocab " + (published / vocabulary).string() + " --merges " +
                         (published / "merges.txt").string() + " --output " + (folder / "cases.json") + options));
  run_cases(folder / "cases.json", published);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, PublishedByteBpeParity,
                         testing::Values(std::pair("roberta-vocab.json", ""),
                                         std::pair("roberta-vocab.json", " --add-prefix-space"),
                                         std::pair("gpt2-vocab.json", "")));

char letter_of(PatternClass kind) {
  switch (kind) {
    case PatternClass::kLetter:
      return 'L';
    case PatternClass::kNumber:
      return 'N';
    case PatternClass::kBlank:
      return 'B';
    default:
      return 'O';
  }
}

TEST(ByteBpeParity, EveryCodePointIsOfTheSameClass) {
  if (!python_has("tokenizers")) GTEST_SKIP() << python() << " has no tokenizers (BERTHA_PYTHON names another)";
  const TemporaryDirectory folder;
  ASSERT_TRUE(run_script("make_byte_bpe.py --classes " + (folder / "classes")));
  std::ifstream file(folder / "classes");
  const std::string classes(std::istreambuf_iterator<char>(file), {});
  ASSERT_EQ(classes.size(), 0x110000u);
  size_t wrong = 0;
  for (char32_t point = 0; point < classes.size(); ++point) {
    const char expected = classes[point];
    if (expected == '-' || expected == letter_of(pattern_class(point))) continue;
    if (++wrong <= 20) ADD_FAILURE() << std::hex << uint32_t{point} << " is " << expected;
  }
  EXPECT_EQ(wrong, 0u);
}

class HuggingFaceParity : public testing::TestWithParam<bool> {
 protected:
  /// Transformers finds the tokenizer in its files, gives the same ids, and what it saves is the tokenizer again.
  void expect_exchanges(const Tokenizer& tokenizer) {
    if (!python_has("transformers")) GTEST_SKIP() << python() << " has no transformers (BERTHA_PYTHON names another)";
    const TemporaryDirectory written, saved;
    for (const auto& [name, content] : tokenizer.files(512)) std::ofstream(written / name, std::ios::binary) << content;
    ASSERT_TRUE(run_script("exchange_tokenizer.py " + written.path() + " " + saved.path()));
    const auto again = read_tokenizer(saved.path());
    EXPECT_EQ(again->hash(), tokenizer.hash());
    const json cases = json::parse(std::ifstream(saved / "cases.json"));
    ASSERT_GT(cases.size(), 5u);
    for (const json& example : cases) {
      SCOPED_TRACE(example.dump());
      const auto text = example.at("text").get<std::string>(), pair = example.at("pair").get<std::string>();
      for (const Tokenizer* one : {&tokenizer, static_cast<const Tokenizer*>(again.get())}) {
        const Encoding encoding = one->encode(text, pair, {.max_length = 512});
        EXPECT_EQ(encoding.ids, example.at("ids").get<Ids>());
        EXPECT_EQ(encoding.offsets, example.at("offsets").get<Ranges>());
      }
    }
  }
};

TEST_P(HuggingFaceParity, ByteBpeIsExchanged) {
  const fs::path folder = kFixtures / "byte_bpe";
  expect_exchanges(ByteBpe(read_vocabulary_json(folder / "vocab.json"), read_merges(folder / "merges.txt"),
                           {.add_prefix_space = GetParam()}, "vocab.json"));
}

TEST_P(HuggingFaceParity, WordPieceIsExchanged) {
  expect_exchanges(WordPiece(Vocabulary::read(kFixtures / "wordpiece/vocab.txt"), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Settings, HuggingFaceParity, testing::Bool());

}  // namespace
}  // namespace bertha
