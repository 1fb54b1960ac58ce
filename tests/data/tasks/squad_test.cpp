#include "data/tasks/squad.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "tests/data/gzip.h"
#include "tests/data/shard_fixtures.h"
#include "tests/message_of.h"
#include "tests/shared_folder.h"

namespace bertha {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;

using Jsons = std::vector<json>;

json answer(const std::string& text, int64_t start) {
  return {{"text", text}, {"answer_start", start}};
}
json question(const std::string& id, const Jsons& answers) {
  return {{"id", id}, {"question", "Where?"}, {"answers", answers}};
}
json file_of(const std::string& context, const Jsons& questions) {
  const json paragraph{{"context", context}, {"qas", questions}};
  const json article{{"title", "A"}, {"paragraphs", Jsons(1, paragraph)}};
  return {{"version", "1.1"}, {"data", Jsons(1, article)}};
}

class SquadTest : public testing::Test {
 protected:
  SquadFile read(const std::string& content) { return read_squad(write_file(folder_ / "a.json", content)); }
  SquadFile read(const json& content) { return read(content.dump()); }
  std::string damage(const std::string& content) {
    const std::string message = message_of<DamagedFileError>([&] { read(content); });
    const std::string folder = folder_ / "";
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }
  std::string damage(const json& content) { return damage(content.dump()); }

  TemporaryDirectory folder_;
};

TEST_F(SquadTest, QuestionsOfAParagraphShareItsContext) {
  const SquadFile file = read(std::string(R"({"data": [
    {"paragraphs": [{"qas": [{"id": "1", "question": "Who?", "answers": [{"text": "Öl", "answer_start": 2}]},
                             {"answers": [], "is_impossible": true, "question": "Why?", "id": "2",
                              "plausible_answers": [{"text": "A", "answer_start": 0}]}],
                     "context": "A Öl."}], "title": "first"},
    {"paragraphs": []},
    {"paragraphs": [{"context": "B", "qas": []},
                    {"context": "C c", "qas": [{"id": "3", "question": "What?", "is_impossible": false, "answers":
                       [{"answer_start": 0, "text": "C", "more": {"text": [7]}}, {"answer_start": 2, "text": "c"}]}]}]}
    ], "version": 2.0})"));
  ASSERT_EQ(file.questions.size(), 3u);
  const Question &first = file.questions[0], &second = file.questions[1], &third = file.questions[2];
  EXPECT_EQ(first.id, "1");
  EXPECT_EQ(first.question, "Who?");
  EXPECT_EQ(*first.context, "A Öl.");
  ASSERT_EQ(first.answers.size(), 1u);
  EXPECT_EQ(first.answers[0].text, "Öl");
  EXPECT_EQ(first.answers[0].start, 2);
  EXPECT_FALSE(first.impossible);
  EXPECT_EQ(second.context, first.context);
  EXPECT_TRUE(second.impossible);
  EXPECT_TRUE(second.answers.empty());
  EXPECT_EQ(*third.context, "C c");
  ASSERT_EQ(third.answers.size(), 2u);
  EXPECT_EQ(third.answers[1].start, 2);
  EXPECT_EQ(file.misplaced, 0);
  EXPECT_EQ(file.first_problems, Strings{});
}

TEST_F(SquadTest, AQuestionWithoutAnswersIsImpossible) {
  EXPECT_TRUE(read(file_of("a", {question("1", {})})).questions[0].impossible);
}

TEST_F(SquadTest, AnswersThatStandElsewhereAreFoundAndCounted) {
  const std::string context = "€ one two € one two one";  // one: 2, 12, 20
  const Jsons answers{answer("one", 2),         answer("one", 3),  answer("one", 15), answer("one", 17),
                      answer("one", 1'000'000), answer("one", -5), answer("three", 2)};
  const SquadFile file = read(
      file_of(context, {question("a", answers), question("b", {answer("€", 1)}), question("c", {answer("€", 0)})}));
  std::vector<int64_t> starts;
  for (const Answer& found : file.questions[0].answers) starts.push_back(found.start);
  EXPECT_EQ(starts, (std::vector<int64_t>{2, 2, 12, 20, 20, 2, -1}));
  EXPECT_EQ(file.questions[1].answers[0].start, 0);
  EXPECT_EQ(file.misplaced, 7);
  EXPECT_EQ(file.relocated, 6);
  EXPECT_EQ(file.first_problems, (Strings{"a", "b"}));
}

TEST_F(SquadTest, NamesFiveQuestionsWithMisplacedAnswers) {
  Jsons questions;
  for (int i = 0; i < 9; ++i) questions.push_back(question(std::to_string(i), {answer("x", 0)}));
  const SquadFile file = read(file_of("", questions));
  EXPECT_EQ(file.misplaced, 9);
  EXPECT_EQ(file.relocated, 0);
  EXPECT_EQ(file.first_problems, (Strings{"0", "1", "2", "3", "4"}));
}

TEST_F(SquadTest, MayBeCompressedAndBeginWithAByteOrderMark) {
  const std::string content = file_of("a", {question("1", {answer("a", 0)})}).dump();
  EXPECT_EQ(read_squad(write_gzip(folder_ / "a.json.gz", content)).questions.size(), 1u);
  EXPECT_EQ(read("\xEF\xBB\xBF" + content).questions.size(), 1u);
}

TEST_F(SquadTest, DamageIsNamedWithItsPlace) {
  const json good = file_of("a b", {question("1", {answer("a", 0)}), question("2", {answer("b", 2), answer("a", 0)})});
  EXPECT_EQ(read(good).questions.size(), 2u);
  const auto with = [&](const std::string& pointer, const json& value) {
    json changed = good;
    changed[json::json_pointer(pointer)] = value;
    return damage(changed);
  };
  const auto without = [&](const std::string& pointer, const std::string& key) {
    json changed = good;
    changed[json::json_pointer(pointer)].erase(key);
    return damage(changed);
  };
  const std::string qas = "/data/0/paragraphs/0/qas";
  EXPECT_EQ(without(qas + "/1", "id"), "a.json: data[0].paragraphs[0].qas[1].id: is missing");
  EXPECT_EQ(without(qas + "/1", "question"), "a.json: data[0].paragraphs[0].qas[1].question: is missing");
  EXPECT_EQ(without(qas + "/0", "answers"), "a.json: data[0].paragraphs[0].qas[0].answers: is missing");
  EXPECT_EQ(without(qas + "/1/answers/1", "text"), "a.json: data[0].paragraphs[0].qas[1].answers[1].text: is missing");
  EXPECT_EQ(without("/data/0/paragraphs/0", "context"), "a.json: data[0].paragraphs[0].context: is missing");
  EXPECT_EQ(without("/data/0", "paragraphs"), "a.json: data[0].paragraphs: is missing");
  EXPECT_EQ(without("", "data"), "a.json: data: is missing");

  EXPECT_EQ(with(qas + "/1/id", 7), "a.json: data[0].paragraphs[0].qas[1].id: is a number (expected a text)");
  EXPECT_EQ(with(qas + "/1/id", "1"), "a.json: data[0].paragraphs[0].qas[1].id: '1' stands twice");
  EXPECT_EQ(with(qas, {{"a", 1}}), "a.json: data[0].paragraphs[0].qas: is an object (expected an array)");
  EXPECT_EQ(with(qas + "/0", "x"), "a.json: data[0].paragraphs[0].qas[0]: is a text (expected an object)");
  EXPECT_EQ(with(qas + "/0/is_impossible", nullptr),
            "a.json: data[0].paragraphs[0].qas[0].is_impossible: is null (expected true or false)");
  EXPECT_EQ(with(qas + "/0/is_impossible", true),
            "a.json: data[0].paragraphs[0].qas[0]: is_impossible, and 1 answer(s)");
  EXPECT_EQ(with(qas + "/1/answers/0/answer_start", 0.5),
            "a.json: data[0].paragraphs[0].qas[1].answers[0].answer_start: is '0.5' (expected an integer)");
  EXPECT_EQ(with(qas + "/1/answers/0/text", ""), "a.json: data[0].paragraphs[0].qas[1].answers[0].text: is empty");
  EXPECT_EQ(with("/data/0/paragraphs/0/context", json::array()),
            "a.json: data[0].paragraphs[0].context: is an array (expected a text)");
  EXPECT_EQ(with("/data", true), "a.json: data: is true (expected an array)");
  EXPECT_EQ(with("/data/0/paragraphs/0/context", std::string((16 << 20) + 1, 'x')),
            "a.json: data[0].paragraphs[0].context: more than 16 MiB");
  EXPECT_EQ(damage(std::string("[]")), "a.json: the file: is an array (expected an object)");
  EXPECT_EQ(damage(std::string("{\"data\": [], \"data\": []}")), "a.json: data: stands twice");
  EXPECT_EQ(damage(file_of("a", Jsons{})), "a.json: no questions");
}

TEST_F(SquadTest, WhatIsNotJsonIsNamedWithItsLine) {
  EXPECT_EQ(damage(std::string("")), "a.json:1: not JSON at byte 1");
  EXPECT_EQ(damage(std::string("{\"data\":\n[}")), "a.json:2: not JSON at byte 11");
  EXPECT_EQ(damage(std::string("{\"data\":\n\n[\"\xFF\"]}")), "a.json:3: not JSON at byte 13");
  EXPECT_EQ(damage("{\"x\": " + std::string(1 << 20, '[')).find("a.json:1: not JSON at byte"), 0u);
  EXPECT_THROW(read_squad(folder_ / "missing.json"), ConfigError);
}

TEST(SquadOfSharedFolder, HasTheQuestionsThatItsReadmeCounts) {
  const auto shared = shared_folder();
  if (!shared) GTEST_SKIP() << "the shared folder is missing (BERTHA_SHARED names it)";
  const std::vector<std::pair<std::string, size_t>> files{{"squad-dev-part/train.json", 7750},
                                                          {"xquad-en/xquad.en.json", 1190}};
  for (const auto& [name, count] : files) {
    const SquadFile file = read_squad(*shared / "data" / name);
    EXPECT_EQ(file.questions.size(), count) << name;
    EXPECT_EQ(file.misplaced, 0) << name;
  }
}

}  // namespace
}  // namespace bertha
