#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/inspect/inspect_fixture.h"
#include "tests/train/inspect/raw_safetensors.h"

namespace bertha {
namespace {

class InspectDiffTest : public InspectTest {
 protected:
  static nlohmann::json diff(const std::string& a, const std::string& b) {
    return inspect_json("inspect-diff", "diff " + a + " " + b);
  }

  TinyCheckpoint later() const {
    TinyCheckpoint later;
    later.weight[0] += 1;
    later.second_bias[1] = 5;
    later.state.configuration = "task: mlm\ntraining:\n  steps: 2000\n";
    return later;
  }
  const std::string later_ = later().save(Checkpoints(parent_ / "later", 1), 300);
};

TEST_F(InspectDiffTest, SaysThatTwoAreEqual) {
  const nlohmann::json report = diff(model_, model_ + "/model.safetensors");
  EXPECT_EQ(report["equal"], true);
  EXPECT_EQ(report["equal_tensors"], 2);
  EXPECT_EQ(report["b"]["kind"], "safetensors file");
  const CommandResult result = inspect("diff " + model_ + " " + model_);
  EXPECT_EQ(result.exit_code, 0);
  expect_part(result.out, "equal: 2 tensors, bit for bit\n");
}

TEST_F(InspectDiffTest, SaysWhatMoved) {
  const nlohmann::json report = diff(checkpoint_, later_);
  EXPECT_EQ(report["equal"], false);
  EXPECT_EQ(report["equal_tensors"], 1);
  ASSERT_EQ(report["changed"].size(), 1u);
  EXPECT_EQ(report["changed"][0]["name"], "bert.dense.weight");
  EXPECT_EQ(report["changed"][0]["max_difference"], 1);
  EXPECT_EQ(report["groups"][0]["name"], "bert.dense");
  const CommandResult result = inspect("diff " + checkpoint_ + " " + later_);
  EXPECT_EQ(result.exit_code, 0) << "differences are no failure";
  expect_part(result.out, "1 tensors equal, 1 changed, 0 reshaped, 0 added, 0 removed\n");
}

TEST_F(InspectDiffTest, ComparesStateAndConfiguration) {
  const nlohmann::json report = diff(checkpoint_, later_);
  EXPECT_EQ(report["training_state"], nlohmann::json::parse(R"([{"name":"configuration.training.steps","a":"1000",)"
                                                            R"("b":"2000"},{"name":"step","a":"200","b":"300"}])"));
  EXPECT_TRUE(report["files"].empty());
}

TEST_F(InspectDiffTest, ComparesMomentsWhereAsked) {
  const nlohmann::json report = diff(checkpoint_, later_ + " --moments --filter bias");
  EXPECT_EQ(report["equal_tensors"], 2);
  ASSERT_EQ(report["changed"].size(), 1u);
  EXPECT_EQ(report["changed"][0]["name"], "second_moment/bert.dense.bias");
  EXPECT_EQ(inspect("diff --moments " + checkpoint_ + " " + model_).exit_code, 2);
}

TEST_F(InspectDiffTest, ComparesTheOtherFiles) {
  write_bytes(later_ + "/vocab.txt", "[PAD]\n");
  write_bytes(later_ + "/extra.json", "{}");
  const nlohmann::json files = diff(checkpoint_, later_)["files"];
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0]["name"], "extra.json");
  EXPECT_TRUE(files[0]["a"].is_null());
  EXPECT_EQ(files[1]["name"], "vocab.txt");
  EXPECT_NE(files[1]["a"], files[1]["b"]);
}

TEST_F(InspectDiffTest, TellsAddedRemovedAndReshaped) {
  RawTensor reshaped = raw_tensor("c", "F32", std::vector<float>{1, 2});
  reshaped.shape = {1, 2};
  write_raw(parent_ / "a",
            {raw_tensor("a", "F32", std::vector<float>{1}), raw_tensor("c", "F32", std::vector<float>{1, 2})});
  write_raw(parent_ / "b", {raw_tensor("b\x1b", "F32", std::vector<float>{1}), reshaped});
  const nlohmann::json report = diff(parent_ / "a", parent_ / "b");
  EXPECT_EQ(report["removed"][0]["name"], "a");
  EXPECT_EQ(report["added"][0]["name"], "b\x1b");
  EXPECT_EQ(report["reshaped"][0], nlohmann::json::parse(R"({"name":"c","a":[2],"b":[1,2]})"));
  const std::string text = inspect("diff " + (parent_ / "a") + " " + (parent_ / "b")).out;
  expect_part(text, "removed a (1)\n");
  expect_part(text, "added b? (1)\n");
  expect_part(text, "reshaped c: (2) -> (1, 2)\n");
}

TEST_F(InspectDiffTest, PrintsNoNumberThatIsNone) {
  write_raw(parent_ / "a", {raw_tensor("w", "F32", std::vector<float>{0, 0})});
  write_raw(parent_ / "b", {raw_tensor("w", "BF16", std::vector<uint16_t>{0x3F80, 0x7FC0})});
  const std::string text = inspect("diff " + (parent_ / "a") + " " + (parent_ / "b")).out;
  EXPECT_EQ(text.find("nan"), std::string::npos) << text;
  expect_part(text, "  -  ");
  expect_part(text, "F32 to BF16, 1 places not finite\n");
}

TEST_F(InspectDiffTest, AFilterThatFindsNothingIsAMistake) {
  for (const std::string& arguments : {"diff " + model_ + " " + checkpoint_, model_}) {
    const CommandResult result = inspect(arguments + " --filter nothing");
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    expect_part(result.err, "bertha: --filter: no tensor of " + model_);
  }
  write_raw(parent_ / "a", {raw_tensor("extra", "F32", std::vector<float>{1})});
  EXPECT_EQ(diff(model_, (parent_ / "a") + " --filter extra")["added"].size(), 1u) << "one of both has it";
  EXPECT_EQ(inspect(checkpoint_ + " --moments --filter first_moment").exit_code, 0);
}

TEST_F(InspectDiffTest, RefusesWhatHoldsNoTensors) {
  write_bytes(parent_ / "text", "no tensors");
  EXPECT_EQ(inspect("diff " + model_ + " " + (parent_ / "text")).exit_code, 3);
  EXPECT_EQ(inspect("diff " + model_ + " " + parent_.path()).exit_code, 2);
  EXPECT_EQ(inspect("diff " + model_).exit_code, 2);
}

}  // namespace
}  // namespace bertha
