#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/inspect/inspect_fixture.h"
#include "tests/train/inspect/raw_safetensors.h"
#include "tests/train/model_files.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {
namespace {

TEST_F(InspectTest, ListsTheTensorsOfAModelDirectory) {
  const nlohmann::json report = model_json(model_);
  EXPECT_EQ(report["kind"], "model directory");
  EXPECT_EQ(report["parameters"], 8);
  EXPECT_EQ(report["bytes"], 32);
  ASSERT_EQ(report["tensors"].size(), 2u);
  EXPECT_EQ(report["tensors"][1],
            nlohmann::json::parse(R"({"name":"bert.dense.weight","shape":[3,2],"dtype":"F32","bytes":24})"));
  EXPECT_EQ(report["groups"],
            nlohmann::json::parse(R"([{"name":"bert.dense","tensors":2,"parameters":8,"bytes":32}])"));
  EXPECT_FALSE(report.contains("training_state"));
}

TEST_F(InspectTest, ShowsTheTrainingStateOfACheckpoint) {
  for (const std::string& path : {checkpoint_, checkpoint_ + "/training_state.h5"}) {
    const nlohmann::json report = model_json(path), state = report["training_state"];
    EXPECT_EQ(report["kind"], "checkpoint");
    EXPECT_EQ(state["step"], 200);
    EXPECT_EQ(state["samples"], 12800);
    EXPECT_EQ(state["tokens"], 1'500'000'000'000);
    EXPECT_EQ(state["optimizer"], "adamw");
    EXPECT_EQ(state["global_batch_size"], 64);
    EXPECT_EQ(state["format"], 1);
    EXPECT_EQ(state["moments"]["second_moment"]["bytes"], 32);
    EXPECT_EQ(state["configuration"], TinyCheckpoint().state.configuration);
    EXPECT_FALSE(report.contains("moments"));
  }
}

TEST_F(InspectTest, ListsTheTensorsOfSeveralFiles) {
  const TemporaryDirectory folder;
  Weights(SafetensorsFile(model_ + "/model.safetensors")).write_indexed(folder.path());
  const nlohmann::json report = model_json(folder.path());
  EXPECT_EQ(report["kind"], "model directory");
  EXPECT_EQ(report["tensors"], model_json(model_)["tensors"]);
  EXPECT_EQ(report["metadata"], model_json(model_)["metadata"]);
}

TEST_F(InspectTest, PrintsATreeForPeople) {
  const CommandResult result = inspect(checkpoint_);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  expect_part(result.out, "2 tensors, 8 parameters, 32 B\n");
  expect_part(result.out, "\nstep                         200\n");
  expect_part(result.out, "\nsamples consumed (cursor)    12,800\n");
  expect_part(result.out, "\n  second_moment              2 tensors, 32 B\n");
  expect_part(result.out, "\nconfiguration\n  task: mlm\n  training:\n    steps: 1000\n");
  expect_part(result.out,
              "            shape      type  parameters    share  size\n"
              "bert.dense             F32            8  100.0 %  32 B\n"
              "  bias      (2)        F32            2   25.0 %   8 B\n"
              "  weight    (3, 2)     F32            6   75.0 %  24 B\n"
              "total       2 tensors                 8  100.0 %  32 B\n");
}

TEST_F(InspectTest, FiltersByName) {
  const nlohmann::json report = model_json(model_ + "/model.safetensors --filter 'bias$'");
  EXPECT_EQ(report["kind"], "safetensors file");
  ASSERT_EQ(report["tensors"].size(), 1u);
  EXPECT_EQ(report["parameters"], 2);
  EXPECT_EQ(inspect(model_ + " --filter '('").exit_code, 2);
}

TEST_F(InspectTest, CountsNoIntegerBufferAsParameters) {
  const nlohmann::json report = model_json(BERTHA_SOURCE_DIR "/tests/fixtures/dtypes.safetensors");
  EXPECT_EQ(report["parameters"], 17);
  EXPECT_EQ(report["tensors"].size(), 12u);
}

TEST_F(InspectTest, KeepsTheTerminalFromWhatAFileSays) {
  // Escape, C1's CSI, a change of direction, a byte that is no UTF-8.
  const std::string hostile =
      "\x1b[2J.\xC2\x9B"
      "2J.\xE2\x80\xAE.\xFF";
  for (const std::string& name : {hostile.substr(0, hostile.size() - 1), hostile.substr(0, 4)}) {
    write_raw(parent_ / "hostile", {raw_tensor(name, "F32", std::vector<float>{1})});
    for (const char* option : {"", " --stats"}) {
      const CommandResult result = inspect((parent_ / "hostile") + option);
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
      EXPECT_EQ(result.out.find("\xC2\x9B"), std::string::npos);
      EXPECT_EQ(result.out.find("\xE2\x80\xAE"), std::string::npos);
    }
    write_raw(parent_ / "hostile", {raw_tensor(name, "F33", std::vector<float>{1})});
    const CommandResult refused = inspect(parent_ / "hostile");
    EXPECT_EQ(refused.exit_code, 3);
    for (const char* steering : {"\x1b", "\xC2\x9B", "\xE2\x80\xAE"}) {
      EXPECT_EQ(refused.err.find(steering), std::string::npos) << refused.err;
    }
    expect_part(refused.err, "'?[2J");
  }
}

TEST_F(InspectTest, ExplainsWhatItCannotLookInto) {
  EXPECT_EQ(inspect("").exit_code, 2);
  EXPECT_EQ(inspect(parent_ / "absent").exit_code, 2);
  const CommandResult result = inspect(parent_.path());
  EXPECT_EQ(result.exit_code, 2);
  expect_part(result.err, "expected a model directory");
  write_bytes(parent_ / "text", "not a safetensors file");
  EXPECT_EQ(inspect(parent_ / "text").exit_code, 3);
  std::filesystem::remove(checkpoint_ + "/MANIFEST.json");
  EXPECT_EQ(inspect(checkpoint_).exit_code, 3);
}

TEST_F(InspectTest, RefusesOptionsThatHaveNoUse) {
  for (const char* option : {"--advice", "--samples 2", "--vocab x", "--moments"}) {
    const CommandResult result = inspect(model_ + " " + option);
    EXPECT_EQ(result.exit_code, 2) << option;
    expect_part(result.err, "is a model directory (expected");
  }
}

TEST_F(InspectTest, RefusesOptionsBeforeASubcommand) {
  for (const std::string& arguments : {"--samples 3 --advice --vocab x verify " + model_, model_ + " verify " + model_,
                                       "--json diff " + model_ + " " + model_}) {
    const CommandResult result = inspect(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(result.out, "");
    expect_part(result.err, ": stands before the subcommand");
  }
}

TEST_F(InspectTest, RefusesToShowEndlessSamples) {
  EXPECT_EQ(inspect("--samples 99999999999999999999 " + model_).exit_code, 2);
  const CommandResult result = inspect("--samples 99999999999999999999 " + model_);
  expect_part(result.err, "--samples");
  expect_part(result.err, "1000000");
}

TEST_F(InspectTest, SaysWhatCannotBeLookedAt) {
  const std::string around = parent_ / "around";
  std::filesystem::create_symlink(around, around);
  for (const std::string& path : {around, around + "/model"}) {
    const CommandResult result = inspect(path);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "bertha: " + path + ": cannot be looked at: Too many levels of symbolic links\n");
  }
}

TEST_F(InspectTest, WeightsThatAManifestListsAreDamageWhereTheyAreMissing) {
  for (const std::string& path : {model_, checkpoint_}) {
    std::filesystem::remove(path + "/model.safetensors");
    for (const std::string& command : {path, "diff " + path + " " + path, "verify " + path}) {
      const CommandResult result = inspect(command);
      EXPECT_EQ(result.exit_code, 3) << command;
      EXPECT_EQ(result.err, "bertha: " + path + "/model.safetensors: is missing\n");
    }
  }
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
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(InspectTest, ShowsStatistics) {
  const nlohmann::json tensors = model_json(model_ + " --stats")["tensors"];
  const nlohmann::json& weight = tensors[1]["statistics"];
  const std::vector<float> values = TinyCheckpoint().weight;
  EXPECT_EQ(weight["elements"], 6);
  EXPECT_EQ(weight["zeros"], 0);
  EXPECT_EQ(weight["min"], -1.25);
  EXPECT_EQ(weight["max"], 6);
  EXPECT_NEAR(weight["mean"].get<double>(), 14.25 / 6, 1e-12);
  EXPECT_NEAR(weight["norm"].get<double>(), std::sqrt(0.25 + 1.5625 + 16 + 25 + 36), 1e-12);
  EXPECT_EQ(weight["quantiles"][3]["share"], 0.5);
  EXPECT_EQ(weight["quantiles"][3]["value"], 2.25);
  EXPECT_EQ(weight["histogram"][0], 1);
  expect_part(inspect(model_ + " --stats").out,
              "\n  weight    (3, 2)  F32   2.375  2.738  -1.25    2.25    6  8.878  0.0 %  █ ██");
}

TEST_F(InspectTest, ShowsStatisticsOfMoments) {
  const nlohmann::json report = model_json(checkpoint_ + " --stats --moments --filter weight");
  ASSERT_EQ(report["moments"].size(), 2u);
  EXPECT_EQ(report["moments"][1]["name"], "second_moment/bert.dense.weight");
  EXPECT_EQ(report["moments"][1]["shape"], (std::vector<int>{3, 2}));
  EXPECT_EQ(report["moments"][1]["statistics"]["mean"], 13.5);
  EXPECT_EQ(report["parameters"], 6) << "moments are none";
  expect_part(inspect(checkpoint_ + " --moments").out, "\nsecond_moment/bert.dense ");
}

TEST_F(InspectTest, CountsWhatIsNotFinite) {
  write_raw(parent_ / "file",
            {raw_tensor("w", "F32", std::vector<float>{1, NAN, INFINITY, 0}),
             raw_tensor("x", "F8_E5M2", std::vector<uint8_t>{1}), raw_tensor("y", "F32", std::vector<float>{NAN})});
  const nlohmann::json tensors = model_json((parent_ / "file") + " --stats")["tensors"];
  EXPECT_EQ(tensors[0]["statistics"]["nan"], 1);
  EXPECT_EQ(tensors[0]["statistics"]["infinite"], 1);
  EXPECT_EQ(tensors[0]["statistics"]["max"], 1);
  EXPECT_TRUE(tensors[1]["statistics"].is_null());
  EXPECT_TRUE(tensors[2]["statistics"]["mean"].is_null());
  expect_part(inspect((parent_ / "file") + " --stats").out, "1 NaN, 1 infinite");
}

/// BERT-base with a pooler and no heads.
std::vector<RawTensor> bert_base() {
  std::vector<RawTensor> tensors;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    tensors.push_back({name, "F32", std::move(shape), ""});
  };
  const auto add_layer = [&](const std::string& name, int64_t outputs, int64_t inputs) {
    add(name + ".weight", {outputs, inputs});
    add(name + ".bias", {outputs});
  };
  const auto add_norm = [&](const std::string& name) {
    add(name + ".LayerNorm.weight", {768});
    add(name + ".LayerNorm.bias", {768});
  };
  add("embeddings.word_embeddings.weight", {30522, 768});
  add("embeddings.position_embeddings.weight", {512, 768});
  add("embeddings.token_type_embeddings.weight", {2, 768});
  add_norm("embeddings");
  for (int layer = 0; layer < 12; ++layer) {
    const std::string name = "encoder.layer." + std::to_string(layer);
    for (const char* part : {"query", "key", "value"}) add_layer(name + ".attention.self." + part, 768, 768);
    add_layer(name + ".attention.output.dense", 768, 768);
    add_norm(name + ".attention.output");
    add_layer(name + ".intermediate.dense", 3072, 768);
    add_layer(name + ".output.dense", 768, 3072);
    add_norm(name + ".output");
  }
  add_layer("pooler.dense", 768, 768);
  return tensors;
}

/// A file with nothing behind its header but a hole.
void write_sparse(const std::string& path, const std::vector<RawTensor>& tensors) {
  std::vector<uint64_t> bytes;
  uint64_t sum = 0;
  for (const RawTensor& tensor : tensors) {
    uint64_t size = sizeof(float);
    for (const int64_t dim : tensor.shape) size *= static_cast<uint64_t>(dim);
    bytes.push_back(size);
    sum += size;
  }
  const std::string header = safetensors_header(tensors, bytes);
  write_bytes(path, header);
  std::filesystem::resize_file(path, header.size() + sum);
}

TEST_F(InspectTest, KnowsBertBase) {
  const std::string folder = parent_ / "base";
  std::filesystem::create_directory(folder);
  write_sparse(folder + "/model.safetensors", bert_base());
  const nlohmann::json report = model_json(folder);
  EXPECT_EQ(report["tensors"].size(), 199u);
  EXPECT_EQ(report["parameters"], 109'482'240);
  EXPECT_EQ(report["bytes"], 437'928'960);
  ASSERT_EQ(report["groups"].size(), 14u);
  EXPECT_EQ(report["groups"][0]["name"], "embeddings");
  EXPECT_EQ(report["groups"][3]["name"], "encoder.layer.2");
  EXPECT_EQ(report["groups"][3]["parameters"], 7'087'872);
  EXPECT_EQ(report["groups"][13]["name"], "pooler");
  expect_part(inspect(folder).out, "199 tensors, 109,482,240 parameters, 437.9 MB");
}

/// Which other work on the machine does not lengthen.
double processor_seconds_of_children() {
  struct rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST_F(InspectTest, ListsAFileOfAnySizeAtOnce) {
  const std::string path = parent_ / "huge.safetensors";
  try {
    write_sparse(path, {{"w", "F32", {int64_t{1} << 19, int64_t{1} << 19}, ""}});
  } catch (const std::filesystem::filesystem_error& error) {
    GTEST_SKIP() << "this file system has no files of a tebibyte: " << error.what();
  }
  double best = INFINITY;
  for (int repetition = 0; repetition < 3; ++repetition) {
    const double begin = processor_seconds_of_children();
    const CommandResult result = inspect(path);
    best = std::min(best, processor_seconds_of_children() - begin);
    expect_part(result.out, "1 tensors, 274,877,906,944 parameters, 1.1 TB\n");
  }
  EXPECT_LT(best, 0.1) << "seconds; it would take minutes to read";
}

}  // namespace
}  // namespace bertha
