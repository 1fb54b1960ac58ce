#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run_bertha.h"
#include "tests/data/small_byte_bpe.h"
#include "tests/python.h"
#include "tests/train/model_files.h"
#include "train/model_directory.h"

namespace bertha {
namespace {

using nlohmann::json;

constexpr const char* kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    std::ofstream text(text_);
    for (int document = 0; document < 20; ++document) {
      text << "Morning rain over the river.\nThe old farmer opens the door.\nA bird sings in the garden.\n\n";
    }
  }

  CommandResult evaluate(const std::string& model, const std::string& options) const {
    return run_bertha("evaluate " + (kModels + model) + " " + options, "");
  }
  json metrics(const std::string& model, const std::string& options) const {
    const CommandResult result = evaluate(model, options + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  }

  TemporaryDirectory folder_;
  std::string text_ = folder_ / "text.txt";
};

TEST_F(EvaluateTest, TheHeadsDecideWhatIsMeasured) {
  const json mlm = metrics("bert_mlm", "--data " + text_);
  EXPECT_EQ(mlm.size(), 4u) << mlm;
  EXPECT_EQ(mlm["loss"], mlm["mlm_loss"]);
  EXPECT_NEAR(mlm["perplexity"].get<double>(), std::exp(mlm["loss"].get<double>()), 1e-9);
  EXPECT_TRUE(mlm.contains("accuracy"));
  const json next = metrics("bert_nsp", "--data " + text_);
  EXPECT_EQ(next.size(), 3u) << next;
  EXPECT_EQ(next["loss"], next["nsp_loss"]);
  const json both = metrics("bert_pretraining", "--data " + text_);
  EXPECT_EQ(both["loss"], both["mlm_loss"].get<double>() + both["nsp_loss"].get<double>());
  EXPECT_GE(both["nsp_accuracy"], 0);
  EXPECT_LE(both["nsp_accuracy"], 1);
}

TEST_F(EvaluateTest, ARandomModelLosesWhatChanceDoes) {
  const json both = metrics("bert_pretraining", "--data " + text_);
  EXPECT_NEAR(both["nsp_loss"].get<double>(), std::log(2), 0.3);
  EXPECT_NEAR(both["mlm_loss"].get<double>(), std::log(115), 1.5) << "of 115 tokens";
}

TEST_F(EvaluateTest, IsTheSameEachTimeOnShardsAndOnSeveralRanks) {
  const std::string expected = evaluate("bert_mlm", "--json --data " + text_).out;
  EXPECT_EQ(evaluate("bert_mlm", "--json --data " + text_).out, expected);
  const std::string vocabulary = std::string(kModels) + "bert_mlm/vocab.txt";
  const CommandResult sharded = run_bertha(
      "shard " + text_ + " --vocab " + vocabulary + " --sequence-length 20 --output " + (folder_ / "shards"), "");
  ASSERT_EQ(sharded.exit_code, 0) << sharded.err;
  EXPECT_EQ(evaluate("bert_mlm", "--json --data " + (folder_ / "shards")).out, expected);
  const CommandResult ranks =
      run_command("OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 " BERTHA_MPIEXEC
                  " --oversubscribe --bind-to none -n 2 " BERTHA_BINARY " evaluate " +
                      (kModels + std::string("bert_mlm --json --data ")) + text_,
                  "");
  EXPECT_EQ(ranks.out, expected) << ranks.err;
}

TEST_F(EvaluateTest, PredictionsOfAPairModelHoldTypesAndLabels) {
  const json both = metrics("bert_pretraining", "--data " + text_ + " --predictions " + (folder_ / "p"));
  std::ifstream lines(folder_ / "p");
  double sum = 0;
  int labels = 0, pairs = 0;
  for (std::string line; std::getline(lines, line); ++pairs) {
    const json object = json::parse(line);
    ASSERT_EQ(object["input_ids"].size(), object["token_type_ids"].size());
    EXPECT_TRUE(object["next_sentence_label"] == 0 || object["next_sentence_label"] == 1);
    int count = 0;
    for (const json& label : object["labels"]) count += label != -100;
    sum += object["loss"].get<double>() * count;
    labels += count;
  }
  EXPECT_GT(pairs, 10);
  EXPECT_NEAR(sum / labels, both["mlm_loss"].get<double>(), 1e-9);
}

// bert_pretraining as bert-base-uncased is published: LayerNorm's tensors with TensorFlow's names, and heads besides
// the one that its class has; in several files, as large models are.
std::string as_first_published(const TemporaryDirectory& folder) {
  const std::string model = folder / "published", original = std::string(kModels) + "bert_pretraining";
  std::filesystem::create_directory(model);
  std::filesystem::copy(original + "/vocab.txt", model);
  json config = json::parse(std::ifstream(original + "/config.json"));
  config["architectures"] = {"BertForMaskedLM"};
  std::ofstream(model + "/config.json") << config.dump();
  Weights weights{SafetensorsFile(original + "/model.safetensors")};
  weights.rename(first_published_name);
  weights.write_indexed(model);
  return model;
}

// A small random RoBERTa with byte-level BPE.
std::string small_roberta(const TemporaryDirectory& folder) {
  const ByteBpe tokenizer(SmallByteBpe::tokens(), SmallByteBpe::merges(), {}, "small vocabulary");
  BertConfig config;
  config.family = Family::kRoberta;
  config.vocab_size = tokenizer.size();
  config.hidden_size = config.intermediate_size = 32;
  config.num_hidden_layers = config.num_attention_heads = 2;
  config.max_position_embeddings = 40;
  config.type_vocab_size = 1;
  config.pad_token_id = tokenizer.specials().pad;
  BertForPretraining model(config, Head::kMlm);
  model.parameters().initialize(1, 0.2);
  publish_model(folder / "roberta", model_content({config, Head::kMlm, {}}, model.parameters(), tokenizer));
  return folder / "roberta";
}

TEST_F(EvaluateTest, APublishedModelIsEvaluatedAndTheHeadsLeftOutAreNamed) {
  const CommandResult result = run_bertha("evaluate " + as_first_published(folder_) + " --json --data " + text_, "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out).size(), 4u) << result.out;
  EXPECT_NE(result.err.find("not used, of " + (folder_ / "published") + ": bert.pooler.dense.bias, "),
            std::string::npos)
      << result.err;
  EXPECT_EQ(evaluate("bert_pretraining", "--data " + text_).err, "");
}

TEST_F(EvaluateTest, RobertasTextIsCutByItsOwnTokenizer) {
  const CommandResult result = run_bertha(
      "evaluate " + small_roberta(folder_) + " --json --data " + text_ + " --predictions " + (folder_ / "p"), "");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NEAR(json::parse(result.out)["loss"].get<double>(), std::log(SmallByteBpe::tokens().size()), 2);
  std::ifstream lines(folder_ / "p");
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const json ids = json::parse(line)["input_ids"];
  EXPECT_LE(ids.size(), 38u) << "positions are counted from behind the padding id";
  EXPECT_EQ(ids.front(), 0) << "<s>";
  EXPECT_EQ(ids.back(), 2) << "</s>";
}

// Both, with the masks that Bertha drew, have the loss that Hugging Face computes.
using EvaluateParity = EvaluateTest;

TEST_F(EvaluateParity, ModelsOfOtherShapesHaveHuggingFacesLosses) {
  if (!python_has("torch, transformers")) {
    GTEST_SKIP() << python() << " has no torch and transformers (BERTHA_PYTHON names another)";
  }
  for (const std::string& model : {as_first_published(folder_), small_roberta(folder_)}) {
    const CommandResult ours =
        run_bertha("evaluate " + model + " --json --data " + text_ + " --predictions " + (folder_ / "p"), "");
    ASSERT_EQ(ours.exit_code, 0) << ours.err;
    const CommandResult theirs = run_command(
        quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/masked_losses.py " + model + " " + (folder_ / "p"),
        "");
    ASSERT_EQ(theirs.exit_code, 0) << theirs.err;
    EXPECT_NEAR(json::parse(ours.out)["mlm_loss"].get<double>(), std::stod(theirs.out), 1e-5) << model;
  }
}

TEST_F(EvaluateTest, AModelOfBothHeadsIsAskedForOne) {
  const std::string shards = folder_ / "pairs";
  ASSERT_EQ(run_bertha("shard " + text_ + " --objective mlm_nsp --vocab " + kModels +
                           "bert_pretraining/vocab.txt --sequence-length 20 --output " + shards,
                       "")
                .exit_code,
            0);
  const json both = metrics("bert_pretraining", "--data " + shards);
  const json mlm = metrics("bert_pretraining", "--task mlm --data " + shards);
  EXPECT_EQ(mlm.size(), 4u) << mlm;
  EXPECT_NEAR(mlm["loss"].get<double>(), both["mlm_loss"].get<double>(), 1e-6);
  const json next = metrics("bert_pretraining", "--task next_sentence --data " + shards);
  EXPECT_EQ(next.size(), 3u) << next;
  EXPECT_NEAR(next["loss"].get<double>(), both["nsp_loss"].get<double>(), 1e-6);
  EXPECT_EQ(metrics("bert_pretraining", "--task mlm_nsp --data " + shards), both);
  std::ofstream(folder_ / "single.txt") << "the tree\nthe river\n";
  EXPECT_TRUE(metrics("bert_pretraining", "--task mlm --data " + (folder_ / "single.txt")).contains("accuracy"))
      << "masked words need no other document";
}

TEST_F(EvaluateTest, ChoicesAreInNamedColumns) {
  const std::string data = folder_ / "choices.tsv";
  std::ofstream(data) << "text\tfirst\tsecond\tlabel\nthe old bird\tsings .\topens .\tfirst\n";
  const CommandResult unnamed = evaluate("bert_multiple_choice", "--data " + data);
  EXPECT_EQ(unnamed.exit_code, 2);
  EXPECT_NE(unnamed.err.find("--choice-columns: is needed (the model remembers none)"), std::string::npos)
      << unnamed.err;
  EXPECT_TRUE(metrics("bert_multiple_choice", "--choice-columns first second --data " + data).contains("accuracy"));
}

TEST_F(EvaluateTest, APipeIsNotReplacedByPredictions) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const CommandResult result = evaluate("bert_mlm", "--data " + text_ + " --predictions " + pipe);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("is not a regular file"), std::string::npos) << result.err;
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST_F(EvaluateTest, BadInputIsOneSentenceAndTheRightCode) {
  std::ofstream(folder_ / "empty.txt") << "\n";
  std::ofstream(folder_ / "single.txt") << "the tree\nthe river\n";
  std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n";
  ASSERT_EQ(run_bertha("shard " + text_ + " --vocab " + (folder_ / "vocab.txt") + " --sequence-length 16 --output " +
                           (folder_ / "other"),
                       "")
                .exit_code,
            0);
  struct Case {
    std::string model, options;
    int exit_code;
    std::string sentence;
  };
  const std::vector<Case> cases = {
      {"bert_mlm", "--data " + (folder_ / "missing.txt"), 2, "missing.txt: cannot be opened"},
      {"bert_mlm", "", 2, "--data"},
      {"bert_mlm", "--data " + (folder_ / "empty.txt"), 2, "no token"},
      {"bert_nsp", "--data " + (folder_ / "single.txt"), 2, "a single document"},
      {"bert_mlm", "--task mlm_nsp --data " + text_, 4, "was not trained for this task"},
      {"bert_nsp", "--data " + text_ + " --predictions " + (folder_ / "p"), 4, "has no masked-LM head"},
      {"bert_mlm", "--sequence-length 40 --data " + text_, 4, "sequences of 40 tokens (the model has 20 positions)"},
      {"bert_mlm", "--data " + (folder_ / "other"), 4, "was made with another vocabulary"},
      {"bert_mlm", "--data " + text_ + " --predictions " + (folder_ / "no/p"), 1, "cannot be created"},
      {"no_such_model", "--data " + text_, 2, "no_such_model"},
  };
  for (const Case& bad : cases) {
    const CommandResult result = evaluate(bad.model, bad.options);
    EXPECT_EQ(result.exit_code, bad.exit_code) << bad.options << ": " << result.err;
    EXPECT_NE(result.err.find(bad.sentence), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "") << bad.options;
  }
}

}  // namespace
}  // namespace bertha
