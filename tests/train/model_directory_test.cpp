#include "train/model_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "autograd/core/error.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"
#include "tests/train/model_files.h"

namespace bertha {
namespace {

using nlohmann::json;

const std::string kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";

std::vector<float> values_of(const BertForPretraining& model) {
  const auto values = model.parameters().values();
  return {values.begin(), values.end()};
}

// A directory with the weights of bert_pretraining, as they may also be written, under another class's name.
class ModelDirectoryTest : public ::testing::Test {
 protected:
  void configure(const std::string& architecture) const {
    json config = json::parse(std::ifstream(kModels + "bert_pretraining/config.json"));
    config["architectures"] = {architecture};
    std::ofstream(folder_ / "config.json") << config.dump();
  }
  std::string refusal() const {
    return message_of<MismatchError>([&] { read_model(folder_.path()); });
  }

  TemporaryDirectory folder_;
  Weights weights_{SafetensorsFile(kModels + "bert_pretraining/model.safetensors")};
};

const std::vector<std::string> kPoolerAndNextSentence = {"bert.pooler.dense.bias", "bert.pooler.dense.weight",
                                                         "cls.seq_relationship.bias", "cls.seq_relationship.weight"};

TEST_F(ModelDirectoryTest, FirstPublishedFilesHaveOtherNamesAndHeads) {
  configure("BertForMaskedLM");
  weights_.write(folder_.path());
  const std::vector<float> expected = values_of(*read_model(folder_.path()));
  weights_.rename(first_published_name);
  weights_.add("cls.predictions.decoder.weight", {116, 32});
  weights_.write(folder_.path());
  const auto model = read_model(folder_.path());
  EXPECT_EQ(values_of(*model), expected);
  EXPECT_EQ(unused_weights(folder_.path(), model->parameters()), kPoolerAndNextSentence);
  configure("BertForPreTraining");
  EXPECT_TRUE(unused_weights(folder_.path(), read_model(folder_.path())->parameters()).empty());
}

TEST_F(ModelDirectoryTest, LargeModelsAreSeveralFiles) {
  configure("BertForPreTraining");
  weights_.write_indexed(folder_.path());
  EXPECT_EQ(values_of(*read_model(folder_.path())), values_of(*read_model(kModels + "bert_pretraining")));
}

TEST_F(ModelDirectoryTest, AnEncoderIsReadWithItsOwnTensorsOnly) {
  configure("BertForMaskedLM");
  for (const char* name : {"bert.encoder.layer.2.output.dense.bias", "bert.embeddings.LayerNorm.gamma",
                           "bert.embeddings_project.weight", "encoder.extra", "roberta.extra"}) {
    Weights more = weights_;
    more.add(name, {32});
    more.write(folder_.path());
    EXPECT_EQ(refusal(), folder_ / "model.safetensors" + ": tensor '" + name +
                             "' is one too many (the encoder has none of this name)");
  }
}

TEST_F(ModelDirectoryTest, FilesOfTheBareEncoderLeaveItsNameOut) {
  configure("BertModel");
  Weights bare;
  const SafetensorsFile whole(kModels + "bert_pretraining/model.safetensors");
  for (const StoredTensor& stored : whole.tensors()) {
    if (!stored.name.starts_with("bert.")) continue;
    const Shape shape = stored.shape.size() == 1 ? Shape{stored.shape[0]} : Shape{stored.shape[0], stored.shape[1]};
    whole.read(stored.name, std::span(bare.add(stored.name.substr(5), shape)));
  }
  bare.write(folder_.path());
  const ModelDescription description = read_model_description(folder_.path());
  const auto model = read_task_model(folder_.path(), description);
  ModelDescription original = read_model_description(kModels + "bert_pretraining");
  original.head = Head::kNone;
  EXPECT_TRUE(std::ranges::equal(model->parameters().values(),
                                 read_task_model(kModels + "bert_pretraining", original)->parameters().values()));
  bare.add("embeddings_project.weight", {32});
  bare.write(folder_.path());
  EXPECT_NE(message_of<MismatchError>([&] {
              read_task_model(folder_.path(), description);
            }).find("'embeddings_project.weight' is one too many"),
            std::string::npos);
}

TEST_F(ModelDirectoryTest, WhatTheModelHasMustBeThere) {
  configure("BertForMaskedLM");
  weights_.rename([](std::string name) { return name == "cls.predictions.bias" ? "other.bias" : name; });
  weights_.write(folder_.path());
  EXPECT_EQ(refusal(), folder_ / "model.safetensors" + ": tensor 'cls.predictions.bias' is missing (the model has it)");
  weights_.add("cls.predictions.bias", {114});
  weights_.write(folder_.path());
  EXPECT_EQ(refusal(),
            folder_ / "model.safetensors" + ": 'cls.predictions.bias' has shape (114), the model expects (116)");
}

TEST_F(ModelDirectoryTest, ACheckpointHoldsTheModelAndNothingElse) {
  configure("BertForMaskedLM");
  weights_.write(folder_.path());
  const auto model = read_model(folder_.path());
  EXPECT_NE(message_of<MismatchError>([&] {
              read_weights(folder_.path(), model->parameters());
            }).find("'bert.pooler.dense.bias' is one too many (the model has none of this name)"),
            std::string::npos);
}

TEST_F(ModelDirectoryTest, OtherHeadsSayWhatIsMissingAndWhatIsNotUsed) {
  weights_.rename(first_published_name);
  weights_.write_indexed(folder_.path());
  BertConfig config = read_model_description(kModels + "bert_pretraining").config;
  BertForTask model(config, {Head::kTokens, 3, 0});
  const SharedWeights shared = read_shared_weights(folder_.path(), model.parameters(), {}, OutputLayer::kTaken);
  EXPECT_EQ(shared.missing, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
  EXPECT_EQ(std::ranges::count(shared.unused, "cls.predictions.transform.LayerNorm.gamma"), 1);
  EXPECT_EQ(std::ranges::count(shared.unused, "bert.pooler.dense.bias"), 1);
}

}  // namespace
}  // namespace bertha
