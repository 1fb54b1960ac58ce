#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/cli/inspect/json_schema.h"
#include "tests/cli/run_bertha.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {

/// `bertha inspect` on a tiny model and its checkpoint.
class InspectTest : public testing::Test {
 protected:
  InspectTest() {
    checkpoint_ = TinyCheckpoint().save(Checkpoints(parent_ / "checkpoints", 1), 200);
    model_ = parent_ / "model";
    publish_model(model_, TinyCheckpoint().model());
  }

  static CommandResult inspect(const std::string& arguments) { return run_bertha("inspect " + arguments, ""); }

  /// What it prints with --json, which must be as docs/schemas/SCHEMA.json says.
  static nlohmann::json inspect_json(const std::string& schema, const std::string& arguments) {
    const CommandResult result = inspect(arguments + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto report = nlohmann::json::parse(result.out, nullptr, /*allow_exceptions=*/false);
    for (const std::string& fault : JsonSchema::named(schema).faults(report)) ADD_FAILURE() << fault;
    return report;
  }
  static nlohmann::json model_json(const std::string& arguments) { return inspect_json("inspect-model", arguments); }

  static void expect_part(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in\n" << text;
  }

  static void flip_last_byte(const std::string& path) {
    std::string bytes = bytes_of(path);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_bytes(path, bytes);
  }

  TemporaryDirectory parent_;
  std::string checkpoint_, model_;
};

/// And on two short documents as shards, with the vocabulary beside them.
class InspectShardsTest : public InspectTest {
 protected:
  InspectShardsTest() {
    write_bytes(parent_ / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ntide\ncame\nin\n.\nunused\n");
    write_bytes(parent_ / "text", "Tide came in.\n\nTide of stones.\n");
    const CommandResult made = run_bertha("shard " + (parent_ / "text") + " --vocab " + (parent_ / "vocab.txt") +
                                              " --output " + shards_ + " --sequence-length 16 --seed 5",
                                          "");
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }

  static nlohmann::json sequences_json(const std::string& arguments) {
    return inspect_json("inspect-sequences", arguments);
  }

  const std::string shards_ = parent_ / "shards", shard_ = shards_ + "/shard-00000.h5";
};

}  // namespace bertha
