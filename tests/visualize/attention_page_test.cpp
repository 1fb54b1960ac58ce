#include "visualize/attention_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace bertha {
namespace {

using nlohmann::json;

constexpr const char* kModel = BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_mlm";
constexpr const char* kTagger = BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_token_classification";
constexpr int64_t kWhole = 1 << 20;

json data_of(const std::string& html) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const size_t at = html.find(begin) + begin.size();
  return json::parse(html.substr(at, html.find("</script>", at) - at));
}

std::string page_of(const char* directory, const std::string& text, const std::optional<std::string>& pair) {
  const AttentionModel model(directory);
  const AttentionSubject subject{&model, model.read(text, pair, kWhole)};
  return attention_page(std::span(&subject, 1));
}

TEST(AttentionPage, HoldsWhatTheViewsNeed) {
  const std::string html = page_of(kModel, "Morning rain over the [MASK].", "a river");
  const json data = data_of(html);
  EXPECT_EQ(data["tokens"].size(), 11u);
  EXPECT_EQ(data["tokens"][5], "[MASK]");
  EXPECT_EQ(data["second"], 8);
  EXPECT_EQ(data["leftOut"], 0);
  EXPECT_EQ(data["firstName"], "[CLS]");
  EXPECT_EQ(data["separatorName"], "[SEP]");
  ASSERT_EQ(data["models"].size(), 1u);
  const json& model = data["models"][0];
  EXPECT_EQ(model["name"], kModel);
  EXPECT_EQ(model["facts"].size(), model["layers"].get<size_t>());
  EXPECT_EQ(model["facts"][0].size(), model["heads"].get<size_t>());
  EXPECT_LE(model["error"].get<double>(), 1e-5);
  EXPECT_EQ(model["predictions"].size(), 11u);
  EXPECT_EQ(model["predictions"][5].size(), 5u);
  for (const char* name : {"layer-0", "layer-1", "thumbnails", "rollout"}) {
    EXPECT_NE(html.find(std::string("id=\"block-model-0.") + name + "\""), std::string::npos) << name;
  }
}

TEST(AttentionPage, EqualInputsMakeEqualPages) {
  EXPECT_EQ(page_of(kModel, "the river", std::nullopt), page_of(kModel, "the river", std::nullopt));
}

TEST(AttentionPage, AModelWithoutAMaskedLmHeadPredictsNothing) {
  const json data = data_of(page_of(kTagger, "the river", std::nullopt));
  EXPECT_TRUE(data["models"][0]["predictions"].is_null());
  EXPECT_EQ(data["second"], -1);
}

TEST(AttentionPage, ComparedModelsHaveBlocksOfTheirOwn) {
  const AttentionModel model(kModel), other(kTagger);
  const std::vector<AttentionSubject> subjects = {{&model, model.read("the river", std::nullopt, kWhole)},
                                                  {&other, other.read("the river", std::nullopt, kWhole)}};
  const std::string html = attention_page(subjects);
  EXPECT_EQ(data_of(html)["models"][1]["name"], kTagger);
  EXPECT_NE(html.find("id=\"block-model-1.layer-1\""), std::string::npos);
}

}  // namespace
}  // namespace bertha
