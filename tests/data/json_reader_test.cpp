#include "data/json_reader.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/message_of.h"

namespace bertha {
namespace {

std::string complaint(std::string_view text) {
  return message_of<DamagedFileError>([&] { check_json(text, "file"); });
}

TEST(JsonReader, GivesEveryKindOfValue) {
  const std::string_view text =
      R"( { "a" : [ 0, 18446744073709551615 ] , "b\n" : { } , "c": true, "d": "\u00e9\ud83d\ude00\/" , "e": [ ] } )";
  JsonReader reader(text, "file");
  std::vector<std::string> names;
  std::vector<uint64_t> counts;
  reader.object([&](const std::string& name) {
    names.push_back(name);
    if (name == "a") {
      reader.array([&] { counts.push_back(reader.count()); });
    } else if (name == "c") {
      EXPECT_EQ(reader.kind(), JsonReader::Kind::kBoolean);
      EXPECT_TRUE(reader.boolean());
    } else if (name == "d") {
      EXPECT_EQ(reader.text(), "é😀/");
    } else {
      const std::string_view skipped = reader.skip();
      EXPECT_EQ(skipped, name == "e" ? "[ ]" : "{ }");
    }
  });
  reader.end();
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b\n", "c", "d", "e"}));
  EXPECT_EQ(counts, (std::vector<uint64_t>{0, UINT64_MAX}));
}

TEST(JsonReader, RefusesAnotherKindOfValue) {
  const auto complaint = [](std::string_view text, auto read) {
    return message_of<DamagedFileError>([&] {
      JsonReader reader(text, "file");
      read(reader);
    });
  };
  EXPECT_EQ(complaint("[", [](JsonReader& r) { r.text(); }), "file: not a string at byte 1");
  EXPECT_EQ(complaint(" 1", [](JsonReader& r) { r.boolean(); }), "file: not true or false at byte 2");
  EXPECT_EQ(complaint("{}", [](JsonReader& r) { r.array([] {}); }), "file: not a list at byte 1");
  EXPECT_EQ(complaint("[]", [](JsonReader& r) { r.object([](const std::string&) {}); }),
            "file: not an object at byte 1");
  EXPECT_EQ(complaint("\"1\"", [](JsonReader& r) { r.count(); }), "file: not a number at byte 1");
  for (const char* number : {"-1", "1.0", "1e2", "18446744073709551616"})
    EXPECT_EQ(complaint(number, [](JsonReader& r) { r.count(); }), "file: not a number from 0 to 2^64 - 1 at byte 1");
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  for (const std::string text : {"",
                                 " ",
                                 "[",
                                 "]",
                                 "{",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "01",
                                 "1.",
                                 ".1",
                                 "-",
                                 "+1",
                                 "1e",
                                 "1e+",
                                 "tru",
                                 "truex",
                                 "nul",
                                 "\"",
                                 "\"\\",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\u12g4\"",
                                 "\"\\ud800\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\udc00\"",
                                 "\"\n\"",
                                 "[1]x",
                                 "[1][2]",
                                 "'a'",
                                 "NaN",
                                 "//",
                                 "\xEF\xBB\xBF[]"})
    EXPECT_EQ(complaint(text).find("file: not "), 0u) << text << ": " << complaint(text);
  EXPECT_NE(complaint(std::string("[]\0", 3)), "nothing was thrown");
  EXPECT_EQ(complaint("[\"\xFF\"]"), "file: byte 2 (value 255) is not UTF-8");
}

TEST(JsonReader, NamesStandOnceInTheirObject) {
  EXPECT_EQ(complaint(R"({"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]})"), "nothing was thrown");
  EXPECT_EQ(complaint(R"({"a": 1, "c": {"b": 1, "b": 2}})"), "file: 'b' stands twice");
  EXPECT_EQ(complaint(R"({"\u0061": 1, "b": {"a": 3}, "a": 2})"), "file: 'a' stands twice");
}

TEST(JsonReader, DepthHasALimit) {
  EXPECT_EQ(complaint(std::string(64, '[') + std::string(64, ']')), "nothing was thrown");
  EXPECT_EQ(complaint(std::string(65, '[') + std::string(65, ']')), "file: nested deeper than 64 levels");
  EXPECT_EQ(complaint(std::string(1 << 20, '[')), "file: nested deeper than 64 levels");
  const std::string deep(1 << 20, '[');
  EXPECT_THROW(JsonReader(deep, "file").skip(), DamagedFileError);
}

TEST(JsonReader, AcceptsWhatAnotherParserAccepts) {
  const std::string sound = R"({"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"c":[[],{}]}})";
  constexpr char kBytes[] = " \n,:[]{}\"\\/u0d8-+.eEtrufalsn1\x1F";
  RandomStream random(1, "test");
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = sound;
    for (uint32_t changes = 1 + random.below(3); changes > 0; --changes) {
      const size_t at = random.below(static_cast<uint32_t>(text.size()));
      const char byte = kBytes[random.below(sizeof kBytes - 1)];
      if (random.below(2) == 0) {
        text[at] = byte;
      } else {
        text.insert(at, 1, byte);
      }
    }
    const std::string said = complaint(text);
    if (said.ends_with("stands twice")) continue;
    EXPECT_EQ(said == "nothing was thrown", nlohmann::json::accept(text)) << text << ": " << said;
    accepted += said == "nothing was thrown";
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace bertha
