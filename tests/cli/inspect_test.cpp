#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/run_bertha.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "tests/train/model_files.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {
namespace {

class InspectTest : public testing::Test {
 protected:
  InspectTest() {
    checkpoint_ = TinyCheckpoint().save(Checkpoints(parent_ / "checkpoints", 1), 200);
    model_ = parent_ / "model";
    publish_model(model_, TinyCheckpoint().model());
  }

  static CommandResult inspect(const std::string& arguments) { return run_bertha("inspect " + arguments, ""); }

  static nlohmann::json inspect_json(const std::string& arguments) {
    const CommandResult result = inspect("--json " + arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }

  void flip_last_byte(const std::string& path) const {
    std::string bytes = bytes_of(path);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_bytes(path, bytes);
  }

  TemporaryDirectory parent_;
  std::string checkpoint_, model_;
};

TEST_F(InspectTest, ListsTheTensorsOfAModelDirectory) {
  const nlohmann::json report = inspect_json(model_);
  EXPECT_EQ(report["kind"], "model directory");
  EXPECT_EQ(report["parameters"], 8);
  EXPECT_EQ(report["bytes"], 32);
  ASSERT_EQ(report["tensors"].size(), 2u);
  EXPECT_EQ(report["tensors"][1],
            nlohmann::json::parse(R"({"name":"bert.dense.weight","shape":[3,2],"dtype":"F32","bytes":24})"));
  EXPECT_FALSE(report.contains("training_state"));
}

TEST_F(InspectTest, ShowsTheTrainingStateOfACheckpoint) {
  for (const std::string& path : {checkpoint_, checkpoint_ + "/training_state.h5"}) {
    const nlohmann::json state = inspect_json(path)["training_state"];
    EXPECT_EQ(state["step"], 200);
    EXPECT_EQ(state["tokens"], 1'500'000'000'000);
    EXPECT_EQ(state["optimizer"], "adamw");
    EXPECT_EQ(state["global_batch_size"], 64);
    EXPECT_EQ(state["moments"]["second_moment"]["bytes"], 32);
    EXPECT_EQ(state["configuration"], TinyCheckpoint().state.configuration);
  }
}

TEST_F(InspectTest, ListsTheTensorsOfSeveralFiles) {
  const TemporaryDirectory folder;
  Weights(SafetensorsFile(model_ + "/model.safetensors")).write_indexed(folder.path());
  const nlohmann::json report = inspect_json(folder.path());
  EXPECT_EQ(report["kind"], "model directory");
  EXPECT_EQ(report["tensors"], inspect_json(model_)["tensors"]);
  EXPECT_EQ(report["metadata"], inspect_json(model_)["metadata"]);
}

TEST_F(InspectTest, PrintsOneLineATensor) {
  const CommandResult result = inspect(checkpoint_);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_NE(result.out.find("bert.dense.weight  (3, 2)  F32"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("2 tensors, 8 parameters, 32 bytes"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("step                               200"), std::string::npos) << result.out;
}

TEST_F(InspectTest, FiltersByName) {
  const nlohmann::json report = inspect_json(model_ + "/model.safetensors --filter 'bias$'");
  EXPECT_EQ(report["kind"], "safetensors file");
  ASSERT_EQ(report["tensors"].size(), 1u);
  EXPECT_EQ(report["parameters"], 2);
  EXPECT_EQ(inspect(model_ + " --filter '('").exit_code, 2);
}

TEST_F(InspectTest, CountsNoIntegerBufferAsParameters) {
  const nlohmann::json report = inspect_json(BERTHA_SOURCE_DIR "/tests/fixtures/dtypes.safetensors");
  EXPECT_EQ(report["parameters"], 17);
  EXPECT_EQ(report["tensors"].size(), 12u);
}

TEST_F(InspectTest, KeepsTheTerminalFromWhatAFileSays) {
  const std::vector<float> value{1};
  OutputFile file(parent_ / "hostile");
  write_safetensors(file, std::vector<TensorView>{{"\x1b[2J", {1}, value}});
  file.finish();
  const CommandResult result = inspect(parent_ / "hostile");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
}

class InspectShardsTest : public InspectTest {
 protected:
  InspectShardsTest() {
    write_bytes(parent_ / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ntide\ncame\nin\n.\n");
    write_bytes(parent_ / "text", "Tide came in.\n\nTide.\n");
    const CommandResult made = run_bertha("shard " + (parent_ / "text") + " --vocab " + (parent_ / "vocab.txt") +
                                              " --output " + shards_ + " --sequence-length 16",
                                          "");
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }

  const std::string shards_ = parent_ / "shards", shard_ = shards_ + "/shard-00000.h5";
};

TEST_F(InspectShardsTest, ShowsWhatTheManifestSays) {
  const nlohmann::json entry = inspect_json(shards_)["manifest"]["shards"][0];
  EXPECT_EQ(entry["documents"], 2);
  EXPECT_EQ(inspect_json(shard_)["shard"], entry);
  const CommandResult result = inspect(shards_);
  EXPECT_NE(result.out.find("settings.sequence_length           16"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("token_counts                       (9 entries)"), std::string::npos) << result.out;
}

TEST_F(InspectShardsTest, RefusesADamagedManifestAndAFileItDoesNotList) {
  write_bytes(shards_ + "/stray.h5", "");
  EXPECT_EQ(inspect(shards_ + "/stray.h5").exit_code, 2);
  EXPECT_EQ(inspect("verify " + shards_ + "/stray.h5").exit_code, 2);
  for (const std::string& damaged : {std::string("{\"shards\": "), "{\"shards\": " + std::string(1'000'000, '[')}) {
    write_bytes(shards_ + "/manifest.json", damaged);
    EXPECT_EQ(inspect(shards_).exit_code, 3);
  }
}

TEST_F(InspectShardsTest, VerifyFindsEveryKindOfDamage) {
  for (const std::string& path : {shards_, shard_}) {
    EXPECT_NE(inspect("verify " + path).out.find("every byte is what was written (1 files"), std::string::npos);
  }
  flip_last_byte(shard_);
  for (const std::string& path : {shards_, shard_}) {
    const CommandResult result = inspect("verify " + path);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_NE(result.err.find("bertha: " + shard_ + ": "), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find(shard_, result.err.find(shard_) + 1), std::string::npos) << result.err;
  }
  std::filesystem::remove(shard_);
  EXPECT_EQ(inspect("verify " + shards_).exit_code, 3);
}

TEST_F(InspectTest, ExplainsWhatItCannotLookInto) {
  EXPECT_EQ(inspect("").exit_code, 2);
  EXPECT_EQ(inspect(parent_ / "absent").exit_code, 2);
  const CommandResult result = inspect(parent_.path());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("expected a model directory"), std::string::npos) << result.err;
  write_bytes(parent_ / "text", "not a safetensors file");
  EXPECT_EQ(inspect(parent_ / "text").exit_code, 3);
  std::filesystem::remove(checkpoint_ + "/MANIFEST.json");
  EXPECT_EQ(inspect(checkpoint_).exit_code, 3);
}

TEST_F(InspectTest, VerifyIsContentWithWhatWasWritten) {
  for (const std::string& path : {checkpoint_, model_, model_ + "/model.safetensors", checkpoint_ + "/config.json"}) {
    const CommandResult result = inspect("verify " + path);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("every byte is what was written"), std::string::npos) << result.out;
  }
}

TEST_F(InspectTest, VerifyNamesFileAndTensor) {
  flip_last_byte(checkpoint_ + "/model.safetensors");
  std::filesystem::remove(checkpoint_ + "/vocab.txt");
  const CommandResult result = inspect("verify --json " + checkpoint_);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("model.safetensors: tensor 'bert.dense.weight'"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("vocab.txt: is missing"), std::string::npos) << result.err;
  const auto verdict = nlohmann::json::parse(result.out);
  EXPECT_EQ(verdict["intact"], false);
  EXPECT_EQ(verdict["damage"][1]["tensor"], "bert.dense.weight");
  EXPECT_EQ(inspect("verify " + checkpoint_ + "/config.json").exit_code, 0);
}

TEST_F(InspectTest, VerifyNamesTheDamagedMoment) {
  const std::string path = checkpoint_ + "/training_state.h5";
  std::string bytes = bytes_of(path);
  bytes[Manifest::read(checkpoint_).find("training_state.h5")->tensors.back().offset] ^= 1;
  write_bytes(path, bytes);
  const CommandResult result = inspect("verify " + checkpoint_);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("training_state.h5: tensor 'second_moment/bert.dense.weight'"), std::string::npos)
      << result.err;
  EXPECT_EQ(inspect(checkpoint_).exit_code, 0);  // listing reads no tensor
}

TEST_F(InspectTest, VerifyNeedsAManifest) {
  std::filesystem::remove(model_ + "/MANIFEST.json");
  EXPECT_EQ(inspect("verify " + model_).exit_code, 2);
  std::filesystem::remove(checkpoint_ + "/MANIFEST.json");
  EXPECT_EQ(inspect("verify " + checkpoint_).exit_code, 3);
}

TEST_F(InspectTest, VerifyFindsEveryFileDamagedInEveryWay) {
  for (const char* name : {"MANIFEST.json", "config.json", "model.safetensors", "training_state.h5", "vocab.txt"}) {
    const std::string path = checkpoint_ + "/" + name;
    const std::string bytes = bytes_of(path);
    std::string flipped = bytes;
    flipped[bytes.size() / 2] ^= 4;
    for (const std::string& damaged : {flipped, bytes.substr(0, bytes.size() / 2), bytes + "x", std::string()}) {
      write_bytes(path, damaged);
      const CommandResult result = inspect("verify " + checkpoint_);
      EXPECT_EQ(result.exit_code, 3) << name;
      EXPECT_EQ(result.err.find("bertha: " + path), 0u) << result.err;
    }
    std::filesystem::remove(path);
    EXPECT_EQ(inspect("verify " + checkpoint_).exit_code, 3) << name;
    write_bytes(path, bytes);
  }
  for (const char* name : {"model.safetensors", "training_state.h5"}) std::filesystem::remove(checkpoint_ + "/" + name);
  EXPECT_EQ(inspect("verify " + checkpoint_).exit_code, 3) << "its manifest says that there is more";
}

TEST_F(InspectTest, ListsNothingOfADamagedHeader) {
  const std::string path = model_ + "/model.safetensors";
  std::string bytes = bytes_of(path);
  bytes[bytes.find("dense.bias")] = 'x';
  write_bytes(path, bytes);
  for (const std::string& place : {model_, path}) {
    const CommandResult result = inspect(place);
    EXPECT_EQ(result.exit_code, 3) << result.out;
    EXPECT_EQ(result.err.find("bertha: " + path + ": "), 0u) << result.err;
  }
}

}  // namespace
}  // namespace bertha
