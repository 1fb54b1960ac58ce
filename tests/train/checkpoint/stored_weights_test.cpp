#include "train/checkpoint/stored_weights.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/shown.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"
#include "tests/train/model_files.h"

namespace bertha {
namespace {

using nlohmann::json;

class StoredWeightsTest : public ::testing::Test {
 protected:
  StoredWeightsTest() {
    weights_.add("a", {2})[1] = 1;
    weights_.add("b", {1, 2})[1] = 2;
    weights_.add("c", {2})[1] = 3;
  }

  void expect_all(const std::string& path) const {
    const StoredWeights stored(path);
    ASSERT_EQ(stored.tensors().size(), 3u);
    const std::vector<std::string> names = {"a", "b", "c"};
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(stored.tensors()[i].name(), names[i]);
      std::vector<float> values(2);
      stored.find(names[i])->read(std::span(values));
      EXPECT_EQ(values[1], static_cast<float>(i + 1));
    }
    EXPECT_EQ(stored.find("d"), nullptr);
    EXPECT_EQ(stored.metadata().at("format"), "pt");
  }

  void write_index(const json& index) const { std::ofstream(folder_ / std::string(kWeightsIndexName)) << index.dump(); }
  std::string damage() const {
    return message_of<DamagedFileError>([&] { StoredWeights weights(folder_.path()); });
  }

  TemporaryDirectory folder_;
  Weights weights_;
};

TEST_F(StoredWeightsTest, AreThoseOfOneFile) {
  weights_.write(folder_.path());
  expect_all(folder_.path());
  expect_all(folder_ / "model.safetensors");
}

TEST_F(StoredWeightsTest, AreThoseOfAllFilesOfAnIndex) {
  weights_.write_indexed(folder_.path());
  expect_all(folder_.path());
  expect_all(folder_ / std::string(kWeightsIndexName));
  EXPECT_TRUE(StoredWeights(folder_.path()).path().ends_with(kWeightsIndexName));
}

TEST_F(StoredWeightsTest, TheWholeFileGoesBeforeAnIndex) {
  weights_.write(folder_.path());
  write_index({{"weight_map", {{"x", "missing.safetensors"}}}});
  expect_all(folder_.path());
}

TEST_F(StoredWeightsTest, AnIndexMayOnlyNameFilesBesideIt) {
  weights_.write_indexed(folder_.path());
  const std::string first = "model-00001-of-00002.safetensors";
  std::filesystem::create_directory(folder_ / "inner");
  std::filesystem::copy(folder_ / first, folder_ / "inner");
  const std::vector<std::string> names = {"inner/" + first, "./" + first, "../" + first, folder_ / first, "..", "",
                                          "vocab.txt"};
  for (const std::string& name : names) {
    write_index({{"weight_map", {{"a", name}}}});
    EXPECT_TRUE(damage().ends_with("'a' is in " + shown(name) + " (expected a safetensors file beside the index)"))
        << damage();
  }
}

TEST_F(StoredWeightsTest, AnIndexSaysOfEachTensorWhereItIs) {
  weights_.write_indexed(folder_.path());
  const std::string first = "model-00001-of-00002.safetensors", second = "model-00002-of-00002.safetensors";
  const auto with = [&](const json& map) {
    write_index({{"weight_map", map}});
    return damage();
  };
  EXPECT_TRUE(with({{"a", first}, {"b", second}}).find("holds 'c', which ") != std::string::npos);
  EXPECT_TRUE(with({{"a", first}, {"b", second}}).ends_with("does not list"));
  EXPECT_TRUE(with({{"a", second}, {"b", second}, {"c", first}}).ends_with("says is elsewhere"));
  EXPECT_TRUE(with({{"a", first}, {"b", second}, {"c", first}, {"d", first}}).ends_with("'d' is not in " + first));
  EXPECT_TRUE(with({{"a", 1}}).ends_with("the file of tensor 'a' is of type number (expected a name)"));
  EXPECT_TRUE(with("none").ends_with("holds no object 'weight_map' of tensors with their files"));
  std::ofstream(folder_ / std::string(kWeightsIndexName)) << "{\"weight_map\": {";
  EXPECT_TRUE(damage().ends_with("not a string at byte 17")) << damage();
  write_index({{"weight_map", {{"a", "missing.safetensors"}}}});
  EXPECT_THROW(StoredWeights(folder_.path()), ConfigError);
}

TEST_F(StoredWeightsTest, NothingToReadNamesWhatWasLookedFor) {
  EXPECT_EQ(message_of<ConfigError>([&] { StoredWeights weights(folder_.path()); }),
            folder_.path() + ": holds no weights (looked for model.safetensors and model.safetensors.index.json)");
}

}  // namespace
}  // namespace bertha
