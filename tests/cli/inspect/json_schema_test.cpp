#include "tests/cli/inspect/json_schema.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace bertha {
namespace {

using nlohmann::json;

size_t faults(const char* schema, const char* value) {
  return JsonSchema(json::parse(schema)).faults(json::parse(value)).size();
}

TEST(JsonSchema, FindsEveryKindOfFault) {
  const char* object = R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                           "required": ["a"], "additionalProperties": false})";
  EXPECT_EQ(faults(object, R"({"a": 1})"), 0u);
  EXPECT_EQ(faults(object, R"({"a": 1, "b": "x"})"), 0u);
  EXPECT_EQ(faults(object, R"({"a": 1.5})"), 1u);
  EXPECT_EQ(faults(object, R"({"b": "x"})"), 1u) << "missing";
  EXPECT_EQ(faults(object, R"({"a": 1, "c": 1})"), 1u) << "added";
  EXPECT_EQ(faults(object, "[]"), 1u);
  EXPECT_EQ(faults(R"({"type": ["number", "null"]})", "null"), 0u);
  EXPECT_EQ(faults(R"({"type": ["number", "null"]})", "\"x\""), 1u);
  EXPECT_EQ(faults(R"({"type": "array", "items": {"type": "boolean"}, "minItems": 2})", "[true, false]"), 0u);
  EXPECT_EQ(faults(R"({"type": "array", "items": {"type": "boolean"}, "minItems": 2})", "[1]"), 2u);
  EXPECT_EQ(faults(R"({"enum": ["a", "b"]})", "\"c\""), 1u);
  EXPECT_EQ(faults(R"({"type": "object", "additionalProperties": {"type": "number"}})", R"({"x": 1, "y": ""})"), 1u);
  EXPECT_EQ(faults(R"({"anyOf": [{"type": "null"}, {"type": "string"}]})", "1"), 1u);
  EXPECT_EQ(faults(R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}})", "true"), 1u);
  EXPECT_EQ(faults(R"({"minimum": 3})", "1"), 1u) << "what is not checked is said";
}

/// Every object says whether it may have other members, and each member whether it must be there.
void expect_closed(const json& schema, const std::string& place) {
  if (schema.is_object() && schema.contains("properties")) {
    EXPECT_TRUE(schema.contains("required")) << place;
    EXPECT_EQ(schema.value("additionalProperties", json(true)), json(false)) << place;
    for (const json& name : schema["required"])
      EXPECT_TRUE(schema["properties"].contains(name.get<std::string>())) << place;
  }
  for (const auto& [key, part] : schema.items()) {
    if (part.is_structured()) expect_closed(part, place + "." + key);
  }
}

TEST(JsonSchema, ThoseOfTheDocumentationLeaveNothingOpen) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BERTHA_SOURCE_DIR "/docs/schemas")) {
    if (!entry.path().filename().string().starts_with("inspect-")) continue;
    expect_closed(JsonSchema::named(entry.path().stem()).root(), entry.path().filename());
    ++count;
  }
  EXPECT_EQ(count, 5);
}

}  // namespace
}  // namespace bertha
