#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run_bertha.h"

namespace bertha {
namespace {

using nlohmann::json;

constexpr const char* kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";

CommandResult predict(const std::string& model, const std::string& arguments, const std::string& input) {
  return run_bertha("predict " + (kModels + model) + " " + arguments, input);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A copy of a fixture whose config.json says other things.
class ChangedModel {
 public:
  ChangedModel(const std::string& model, const json& changes) {
    for (const char* name : {"model.safetensors", "vocab.txt"}) {
      std::filesystem::copy(kModels + model + "/" + name, folder_ / name);
    }
    json config = json::parse(std::ifstream(kModels + model + "/config.json"));
    config.merge_patch(changes);
    std::ofstream(folder_ / "config.json") << config;
  }

  CommandResult predict(const std::string& arguments, const std::string& input) const {
    return run_bertha("predict " + folder_.path() + " " + arguments, input);
  }

 private:
  TemporaryDirectory folder_;
};

void expect_candidates(const json& found, const std::vector<std::tuple<std::string, int, double>>& expected) {
  ASSERT_EQ(found.size(), expected.size()) << found;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i]["token"], std::get<0>(expected[i]));
    EXPECT_EQ(found[i]["id"], std::get<1>(expected[i]));
    EXPECT_NEAR(found[i]["score"].get<double>(), std::get<2>(expected[i]), 1e-5);
  }
}

// The scores, here and below, are those of Hugging Face transformers 5.23.
TEST(Predict, FillsAMaskWithTheLikeliestTokens) {
  const CommandResult result = predict("bert_mlm", "--json --top-k 3 'Morning rain over the [MASK].'", "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_candidates(json::parse(result.out), {{"roof", 64, 0.1107164}, {"[CLS]", 2, 0.0841468}, {"the", 5, 0.0406225}});
}

TEST(Predict, AnswersEachMaskOfAPair) {
  const CommandResult result = predict("bert_mlm", "--json --top-k 2 'a [MASK] in the [MASK]' 'the river'", "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json masks = json::parse(result.out);
  ASSERT_EQ(masks.size(), 2u);
  expect_candidates(masks[0], {{"roof", 64, 0.1177173}, {"tree", 39, 0.0631709}});
  expect_candidates(masks[1], {{"roof", 64, 0.1187621}, {"the", 5, 0.0690986}});
}

TEST(Predict, ReadsLinesWhereNoTextIsGiven) {
  const CommandResult given = predict("bert_mlm", "--json 'a [MASK] in the [MASK]' 'the river'", "");
  const CommandResult lines = predict("bert_mlm", "--json", "the [MASK]\na [MASK] in the [MASK]\tthe river\n");
  ASSERT_EQ(lines.exit_code, 0) << lines.err;
  EXPECT_EQ(lines.out.substr(lines.out.find('\n') + 1), given.out);
  EXPECT_EQ(json::parse(lines.out.substr(0, lines.out.find('\n'))).size(), 5u) << "the default of --top-k";
  EXPECT_EQ(predict("bert_mlm", "--json", "").out, "");
}

TEST(Predict, PrintsATableForPeople) {
  const CommandResult result = predict("bert_mlm", "--top-k 2 'Morning rain over the [MASK].'", "");
  EXPECT_EQ(result.out, "roof                 0.1107\n[CLS]                0.0841\n\n");
}

TEST(Predict, JudgesWhetherATextFollows) {
  const CommandResult result =
      predict("bert_nsp", "--json", "morning rain\tover the river .\nnight\ta stone , a tree ;\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  for (const double expected : {0.5582093, 0.6420035}) {
    std::string line;
    std::getline(lines, line);
    const json object = json::parse(line);
    EXPECT_NEAR(object["score"].get<double>(), expected, 1e-5);
    EXPECT_EQ(object["is_next"], true);
  }
  EXPECT_EQ(predict("bert_nsp", "'the island' 'the island'", "").out, "is_next 0.6557\n");
}

TEST(Predict, AModelOfBothHeadsDoesBoth) {
  const std::string texts = " --json 'the [MASK]' 'a tree'";
  EXPECT_TRUE(json::parse(predict("bert_pretraining", texts, "").out)[0].contains("token"));
  EXPECT_TRUE(json::parse(predict("bert_pretraining", "--task next_sentence" + texts, "").out).contains("is_next"));
}

TEST(Predict, BadInputIsOneSentenceAndTheRightCode) {
  struct Case {
    std::string model, arguments, input;
    int exit_code;
    std::string sentence;
  };
  std::string long_text = "[MASK]";
  for (int i = 0; i < 18; ++i) long_text += " the";
  const std::vector<Case> cases = {
      {"bert_mlm", "'no mask here'", "", 2, "text: holds no [MASK] to fill"},
      {"bert_nsp", "'the night'", "", 2, "next_sentence needs two texts"},
      {"bert_mlm", "--task next_sentence a b", "", 4, "has no head for this task"},
      {"bert_nsp", "--task fill_mask '[MASK]'", "", 4, "has no head for this task"},
      {"bert_mlm", "'" + long_text + "'", "", 4, "text: 21 tokens (the model has 20 positions)"},
      {"bert_mlm", "", "the [MASK] t\xE9\n", 3, "is not UTF-8"},
      {"no_such_model", "'[MASK]'", "", 2, "no_such_model/config.json: cannot be opened"},
      {"bert_mlm", "--top-k 0 '[MASK]'", "", 2, "--top-k"},
      {"bert_mlm", "--task guess '[MASK]'", "", 2, "--task"},
  };
  for (const Case& bad : cases) {
    const CommandResult result = predict(bad.model, bad.arguments, bad.input);
    EXPECT_EQ(result.exit_code, bad.exit_code) << bad.arguments << ": " << result.err;
    EXPECT_NE(result.err.find(bad.sentence), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "") << bad.arguments;
  }
}

TEST(Predict, AnswersTheLinesBeforeABadOneAndNamesIt) {
  std::string good;
  for (int i = 0; i < 40; ++i) good += "the [MASK] " + std::string(i % 3 == 0 ? "sings" : "falls") + "\n";
  const CommandResult all = predict("bert_mlm", "--json", good);
  ASSERT_EQ(all.exit_code, 0) << all.err;
  struct Case {
    std::string line;
    int exit_code;
    std::string sentence;
  };
  std::string long_text = "[MASK]";
  for (int i = 0; i < 18; ++i) long_text += " the";
  for (const Case& bad : {Case{"no mask here", 2, "line 41: text: holds no [MASK] to fill"},
                          Case{"a [MASK]\tb\tc", 2, "line 41: input: 3 texts"},
                          Case{long_text, 4, "line 41: text: 21 tokens"}, Case{"the [MASK] t\xE9", 3, "line 41: "}}) {
    const CommandResult result = predict("bert_mlm", "--json", good + bad.line + "\n" + good);
    EXPECT_EQ(result.exit_code, bad.exit_code) << result.err;
    EXPECT_NE(result.err.find(bad.sentence), std::string::npos) << result.err;
    EXPECT_EQ(result.out, all.out) << bad.line;
  }
}

// What a model says of arguments that do not suit it.
struct Refusal {
  std::string model, arguments, sentence;
};

void expect_refusal(const Refusal& refusal) {
  const CommandResult result = predict(refusal.model, refusal.arguments, "");
  EXPECT_EQ(result.exit_code, 2) << refusal.sentence << "\n" << result.err;
  EXPECT_NE(result.err.find(refusal.sentence), std::string::npos) << refusal.sentence << "\n" << result.err;
  EXPECT_EQ(result.out, "");
}

TEST(Predict, RefusesAnotherNumberOfTexts) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "lines") << "the lake\n";
  for (const Refusal& bad : {
           Refusal{"bert_mlm", "'a [MASK]' b c", "input: 3 texts (fill_mask needs one text, or a pair"},
           Refusal{"bert_nsp", "a b c", "input: 3 texts (next_sentence needs two texts"},
           Refusal{"bert_multi_label", "a b c", "input: 3 texts (the model needs one text, or a pair"},
           Refusal{"bert_token_classification", "a b", "input: 2 texts (tags are given to one text"},
           Refusal{"bert_question_answering", "a", "input: 1 text (question_answering needs a question and a context"},
           Refusal{"bert_question_answering", "a b c", "input: 3 texts (question_answering needs"},
           Refusal{"bert_multiple_choice", "a b",
                   "input: 2 texts (multiple_choice needs a text and two choices or more"},
           Refusal{"bert_mlm", "--task embedding a b", "input: 2 texts (embedding needs one text"},
           Refusal{"bert_mlm", "--task similarity a b c", "input: 3 texts (similarity needs two texts"},
           Refusal{"bert_mlm", "--task similarity --candidates " + (folder / "lines") + " a b",
                   "input: 2 texts (similarity with --candidates needs one text"},
       }) {
    expect_refusal(bad);
  }
}

TEST(Predict, AModelThatRemembersItsColumnsTakesAsManyTexts) {
  const ChangedModel pairs("bert_regression", {{"bertha", {{"text_column", "a"}, {"pair_column", "b"}}}});
  EXPECT_EQ(pairs.predict("'the sea' 'the lake'", "").exit_code, 0);
  EXPECT_NE(pairs.predict("'the sea'", "").err.find("input: 1 text (the model was trained on pairs"),
            std::string::npos);
  const ChangedModel single("bert_regression", {{"bertha", {{"text_column", "a"}}}});
  EXPECT_EQ(single.predict("'the sea'", "").exit_code, 0);
  EXPECT_NE(single.predict("'the sea' 'the lake'", "").err.find("input: 2 texts (the model was trained on single"),
            std::string::npos);
}

TEST(Predict, RefusesOptionsThatTheTaskHasNoUseFor) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "lines") << "the lake\n";
  for (const Refusal& bad : {
           Refusal{"bert_regression", "--top-k 2 a",
                   "--top-k: is for --task fill_mask or question_answering or similarity (this is regression)"},
           Refusal{"bert_mlm", "--task similarity --top-k 2 a b", "--top-k: is for --candidates"},
           Refusal{"bert_mlm", "--pooling cls '[MASK]'", "--pooling: is for --task embedding or similarity"},
           Refusal{"bert_mlm", "--task embedding --word a --pooling cls a", "--pooling: is not for --word"},
           Refusal{"bert_mlm", "--word a 'a [MASK]'", "--word: is for --task embedding or similarity"},
           Refusal{"bert_mlm", "--task embedding --candidates " + (folder / "lines") + " a",
                   "--candidates: is for --task similarity (this is embedding)"},
           Refusal{"bert_mlm", "--sequence-length 8 '[MASK]'", "--sequence-length: is for tasks of fine-tuning"},
           Refusal{"bert_regression", "--stride 2 a", "--stride: is for --task question_answering"},
       }) {
    expect_refusal(bad);
  }
}

// Every span that is asked for, so that each window shows.
constexpr const char* kLongContext =
    " --json --top-k 200 'the bird ?' 'the old farmer opens the door . the bird sings in the garden . the child reads "
    "a book under the tree .'";

std::string answers(const std::string& options) {
  const CommandResult result = predict("bert_question_answering", options + kLongContext, "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

TEST(Predict, WindowsOfALongContextOverlap) {
  EXPECT_EQ(answers(""), answers("--stride 5")) << "a quarter of 20 positions, where config.json does not say";
  EXPECT_NE(answers(""), answers("--stride 0"));
  const ChangedModel remembers("bert_question_answering", {{"bertha", {{"stride", 0}}}});
  EXPECT_EQ(remembers.predict(kLongContext, "").out, answers("--stride 0"));
}

TEST(Predict, CutsToTheSequenceLengthThatIsAskedFor) {
  EXPECT_NE(answers("--sequence-length 12"), answers(""));
  EXPECT_EQ(answers("--sequence-length 12"), answers("--sequence-length 12 --stride 3")) << "a quarter of it";
  EXPECT_NE(answers("--sequence-length 12"), answers("--sequence-length 12 --stride 5"));
  EXPECT_NE(predict("bert_question_answering", std::string("--sequence-length 21") + kLongContext, "")
                .err.find("--sequence-length: 21 tokens (the model has 20 positions)"),
            std::string::npos);
}

// In KiB; -1 where the command fails.
int64_t peak_memory(const std::string& command) {
  const std::string exec = "exec " + command;
  const char* const arguments[] = {"sh", "-c", exec.c_str(), nullptr};
  pid_t process = 0;
  if (posix_spawn(&process, "/bin/sh", nullptr, nullptr, const_cast<char* const*>(arguments), environ) != 0) return -1;
  int status = 0;
  rusage usage = {};
  wait4(process, &status, 0, &usage);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? usage.ru_maxrss : -1;
}

TEST(Predict, ALongContextTakesTheMemoryOfAFewWindows) {
  const TemporaryDirectory folder;
  const auto peak = [&](int words) {
    std::ofstream input(folder / "in");
    input << "the bird ?\t";
    for (int i = 0; i < words; ++i) input << "the ";
    input.close();
    return peak_memory(std::string(BERTHA_BINARY) + " predict " + kModels + "bert_question_answering --stride 0 <" +
                       (folder / "in") + " >/dev/null");
  };
  const int64_t few = peak(100), many = peak(20000);
  ASSERT_GT(few, 0);
  ASSERT_GT(many, 0);
  EXPECT_LT(many - few, 25 << 10) << "of " << few << " and " << many << " KiB";
}

void expect_starts_with(const json& vector, const std::vector<double>& expected) {
  ASSERT_EQ(vector.size(), 32u);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(vector[i].get<double>(), expected[i], 1e-5);
}

TEST(Predict, EmbedsTextsAsMeansFirstTokensOrAllTokens) {
  const std::string text = "'Morning rain over the roof.'";
  const auto embedding = [&](const std::string& pooling) {
    const CommandResult result = predict("bert_mlm", "--task embedding --json --pooling " + pooling + " " + text, "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out)["embedding"];
  };
  expect_starts_with(embedding("mean"), {-0.913958, -0.395987, -0.675861});
  expect_starts_with(embedding("cls"), {-1.032109, -0.458845, -0.710519});
  ASSERT_EQ(embedding("tokens").size(), 8u);
  EXPECT_EQ(embedding("tokens")[0], embedding("cls"));
}

TEST(Predict, WritesVectorsThatNumPyReads) {
  const TemporaryDirectory folder;
  const CommandResult result =
      predict("bert_mlm", "--task embedding --output " + (folder / "v.npy"), "the roof\nthe cold lake in winter\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::ifstream file(folder / "v.npy", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  ASSERT_EQ(bytes.size(), 128u + 2 * 32 * sizeof(float));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(bytes.substr(0, 128).find("'shape': (2, 32)"), std::string::npos);
  EXPECT_EQ(bytes[127], '\n');
}

TEST(Predict, VectorsOfALineThatFailsLeaveWhatWasThere) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "v.npy") << "old";
  const CommandResult result =
      predict("bert_mlm", "--task embedding --output " + (folder / "v.npy"), "the roof\n\xFF\n");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_EQ(std::filesystem::file_size(folder / "v.npy"), 3u);
  EXPECT_FALSE(std::filesystem::exists(folder / "v.npy.tmp"));
}

TEST(Predict, ComparesTextsAndWordsInThem) {
  const CommandResult texts =
      predict("bert_mlm", "--task similarity --json 'Morning rain over the roof.' 'the cold lake in winter'", "");
  EXPECT_NEAR(json::parse(texts.out)["score"].get<double>(), 0.988001, 1e-5);
  const CommandResult words = predict(
      "bert_mlm", "--task similarity --word roof --json 'Morning rain over the roof.' 'the roof of a house'", "");
  EXPECT_NEAR(json::parse(words.out)["score"].get<double>(), 0.940241, 1e-5);
}

TEST(Predict, ComparesEachLinesOwnTexts) {
  const std::vector<std::string> lines = {"Morning rain over the roof.\tthe cold lake in winter\n",
                                          "the fox runs\tthe fox runs\n"};
  std::string input;
  for (size_t i = 0; i < 70; ++i) input += lines[i % 3 / 2];
  const CommandResult result = predict("bert_mlm", "--task similarity --json", input);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<std::string> scores = lines_of(result.out);
  ASSERT_EQ(scores.size(), 70u);
  for (size_t i = 0; i < scores.size(); ++i) {
    EXPECT_NEAR(json::parse(scores[i])["score"].get<double>(), i % 3 == 2 ? 1 : 0.988001, 1e-5) << i;
  }
}

TEST(Predict, FindsAWordAndNotItsLetters) {
  const auto vector = [](const std::string& options) {
    const CommandResult result = predict("bert_mlm", "--task embedding --json " + options + " 'Raining , Rain .'", "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, false)["embedding"];
  };
  const json tokens = vector("--pooling tokens");  // [CLS] rain ##ing , rain . [SEP]
  ASSERT_EQ(tokens.size(), 7u);
  EXPECT_EQ(vector("--word rain"), tokens[4]);
  EXPECT_EQ(vector("--word Rain"), tokens[4]) << "an uncased model";
  EXPECT_NE(predict("bert_mlm", "--task embedding --word rai 'rain rai'", "").out, "");
  const CommandResult letters = predict("bert_mlm", "--task embedding --word rai 'rain , raining'", "");
  EXPECT_EQ(letters.exit_code, 2);
  EXPECT_NE(letters.err.find("does not hold the word 'rai'"), std::string::npos) << letters.err;
  std::string far;
  for (int i = 0; i < 30; ++i) far += "the ";
  EXPECT_NE(predict("bert_mlm", "--task embedding --word rain '" + far + "rain'", "")
                .err.find("stands behind the 20 tokens that the model reads"),
            std::string::npos);
}

TEST(Predict, SaysHowManyTextsWereCut) {
  std::string long_text;
  for (int i = 0; i < 30; ++i) long_text += "the ";
  const CommandResult result = predict("bert_mlm", "--task embedding", "the sea\n" + long_text + "\nthe lake\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "1 of 3 texts were cut to fit into 20 tokens\n");
  EXPECT_EQ(predict("bert_mlm", "--task embedding 'the sea'", "").err, "");
  EXPECT_EQ(predict("bert_regression", "'" + long_text + "'", "").err, "1 of 1 texts were cut to fit into 20 tokens\n");
  EXPECT_EQ(predict("bert_multiple_choice", "'the sea' '" + long_text + "' 'the lake'", "").err,
            "1 of 1 texts were cut to fit into 20 tokens\n");
}

TEST(Predict, AnEncoderWithoutHeadEmbeds) {
  const ChangedModel encoder("bert_mlm", {{"architectures", {"BertModel"}}});
  const TemporaryDirectory folder;
  const CommandResult result = encoder.predict("--output " + (folder / "v.npy") + " 'the roof'", "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(folder / "v.npy"));
}

TEST(Predict, FindsTheMostSimilarLines) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "lines") << "the cold lake in winter\n\nthe fox runs\nrain over the roof\n";
  const CommandResult result =
      predict("bert_mlm",
              "--task similarity --json --top-k 2 --candidates " + (folder / "lines") + " 'rain over the roof'", "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = json::parse(result.out);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["text"], "rain over the roof");
  EXPECT_NEAR(found[0]["score"].get<double>(), 1, 1e-6);
}

TEST(Predict, SaysWhatAnEmbeddingLacks) {
  EXPECT_NE(predict("bert_mlm", "--task similarity 'the roof'", "").err.find("similarity needs two texts"),
            std::string::npos);
  EXPECT_NE(predict("bert_mlm", "--task similarity --word sea 'the roof' 'the lake'", "").err.find("'sea'"),
            std::string::npos);
  EXPECT_NE(predict("bert_mlm", "--output v.npy 'the [MASK]'", "").err.find("--output: is for --task embedding"),
            std::string::npos);
}

}  // namespace
}  // namespace bertha
