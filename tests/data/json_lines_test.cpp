#include "data/json_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "data/lines.h"
#include "tests/data/read_all.h"

namespace bertha {
namespace {

class StringStream : public ByteStream {
 public:
  explicit StringStream(std::string content) : content_(std::move(content)) {}
  size_t read(std::span<char> out) override {
    const size_t bytes = content_.copy(out.data(), out.size(), given_);
    given_ += bytes;
    return bytes;
  }

 private:
  std::string content_;
  size_t given_ = 0;
};

std::string text_of(const std::string& lines, size_t part = 100) {
  JsonLines stream("a.jsonl", std::make_unique<StringStream>(lines));
  return read_all(stream, part);
}

std::string damage_of(const std::string& lines) {
  try {
    text_of(lines);
  } catch (const DamagedFileError& error) {
    return error.what();
  }
  return "nothing was found";
}

TEST(JsonLines, EachTextIsADocument) {
  const std::string lines = R"({"text": "one\ntwo"}
{"id": 7, "text": "three", "meta": {"text": 1, "list": [true, null, -1.5e3, "text"]}}
{"text": "G\u00f6\u00DFe \ud83d\ude00 \"\t\\ €\/"})";
  const std::string expected = "one\ntwo\n\nthree\n\nGöße 😀 \"\t\\ €/\n\n";
  for (size_t part = 1; part < 80; ++part) EXPECT_EQ(text_of(lines, part), expected) << part;
  EXPECT_EQ(text_of(lines + "\n"), expected);
}

TEST(JsonLines, BlankLinesWithinATextDoNotPartIt) {
  EXPECT_EQ(text_of(R"({"text": "\n\none\n\n \t\ntwo\n\n"})"), "one\ntwo\n\n");
  EXPECT_EQ(text_of(R"({"text": ""})"
                    "\n"
                    R"({"text": "\n"})"
                    "\n"
                    R"({"text": "x"})"),
            "x\n\n");
}

TEST(JsonLines, BlankLinesBetweenObjectsArePassedOver) {
  EXPECT_EQ(text_of("\n{\"text\":\"a\"}\r\n\n  \n{\"text\":\"b\"}\n\n"), "a\n\nb\n\n");
  EXPECT_EQ(text_of(""), "");
}

TEST(JsonLines, GivesWhatAnyParserFinds) {
  RandomStream random(1, "test");
  std::string lines, expected;
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (uint32_t length = random.below(5000); length > 0; --length) text += static_cast<char>(1 + random.below(127));
    lines += nlohmann::json{{"text", text}}.dump() + "\n";
    std::string document;
    for_each_line(text, [&](std::string_view line) {
      if (!is_blank(line)) document.append(line).append("\n");
    });
    expected += document.empty() ? "" : document + "\n";
  }
  EXPECT_EQ(text_of(lines, 4096), expected);
}

TEST(JsonLines, NameTheLineThatIsWrong) {
  const std::string expected = " (expected an object with a string 'text')";
  const auto complaint = [&](const std::string& line) {
    const std::string message = damage_of("{\"text\": \"good\"}\n\n" + line + "\n{}");
    EXPECT_TRUE(message.starts_with("a.jsonl:3: ") && message.ends_with(expected)) << message;
    return message.substr(11, message.size() - 11 - expected.size());
  };
  EXPECT_EQ(complaint("{"), "not JSON at byte 2");
  EXPECT_EQ(complaint("{\"text\": \"a\"} {}"), "not JSON at byte 15");
  EXPECT_EQ(complaint("{\"text\": \"\xFF\"}"), "not JSON at byte 11");
  EXPECT_EQ(complaint(R"({"text": "\ud800"})").find("not JSON at byte"), 0u);
  EXPECT_EQ(complaint("plain text").find("not JSON at byte"), 0u);
  EXPECT_EQ(complaint(std::string(100'000, '[')), "is an array");
  EXPECT_EQ(complaint("3"), "is a number");
  EXPECT_EQ(complaint("\"text\""), "is a string");
  EXPECT_EQ(complaint("{}"), "'text' is missing");
  EXPECT_EQ(complaint(R"({"a": {"text": "inner"}, "Text": "x"})"), "'text' is missing");
  EXPECT_EQ(complaint(R"({"text": null})"), "'text' is null");
  EXPECT_EQ(complaint(R"({"text": true})"), "'text' is a boolean");
  EXPECT_EQ(complaint(R"({"text": -1})"), "'text' is a number");
  EXPECT_EQ(complaint(R"({"text": 1})"), "'text' is a number");
  EXPECT_EQ(complaint(R"({"text": 1.5})"), "'text' is a number");
  EXPECT_EQ(complaint(R"({"text": ["a"]})"), "'text' is an array");
  EXPECT_EQ(complaint(R"({"text": {"text": "a"}})"), "'text' is an object");
  EXPECT_EQ(complaint(R"({"text": "a", "text": "b"})"), "'text' stands twice");
}

TEST(JsonLines, ALineIsBounded) {
  const std::string letters(kMaxLineBytes - 100, 'x');
  EXPECT_EQ(text_of("{\"text\":\"" + letters + "\"}", 1 << 20), letters + "\n\n");
  EXPECT_EQ(damage_of("{\"text\":\"a\"}\n{\"text\":\"" + letters + letters + "\"}"),
            "a.jsonl:2: more than 16 MiB in one line");
}

}  // namespace
}  // namespace bertha
