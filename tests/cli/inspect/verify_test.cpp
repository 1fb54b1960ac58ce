#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/inspect/inspect_fixture.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

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
  EXPECT_EQ(JsonSchema::named("inspect-verify").faults(verdict), std::vector<std::string>{});
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

}  // namespace
}  // namespace bertha
