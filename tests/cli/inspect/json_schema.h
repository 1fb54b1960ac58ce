#pragma once

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace bertha {

/// Checks values against the part of JSON Schema (2020-12) that docs/schemas uses; any other keyword is a fault.
class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : root_(std::move(schema)) {}

  /// One of docs/schemas.
  static JsonSchema named(const std::string& name) {
    std::ifstream file(std::string(BERTHA_SOURCE_DIR) + "/docs/schemas/" + name + ".json");
    return JsonSchema(nlohmann::json::parse(file));
  }

  const nlohmann::json& root() const { return root_; }

  /// A line for each fault, with its place.
  std::vector<std::string> faults(const nlohmann::json& value) const {
    std::vector<std::string> found;
    check(root_, value, "$", found);
    return found;
  }

 private:
  using Json = nlohmann::json;
  using Faults = std::vector<std::string>;

  static bool has_type(const std::string& type, const Json& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
  }

  static bool has_one_type(const Json& types, const Json& value) {
    if (types.is_string()) return has_type(types, value);
    return std::ranges::any_of(types, [&](const Json& type) { return has_type(type, value); });
  }

  bool fits_one(const Json& schemas, const Json& value, const std::string& place) const {
    return std::ranges::any_of(schemas, [&](const Json& schema) {
      Faults faults;
      check(schema, value, place, faults);
      return faults.empty();
    });
  }

  void check(const Json& schema, const Json& value, const std::string& place, Faults& faults) const {
    static const std::set<std::string> known = {
        "$schema", "$defs",    "title",      "description", "type",
        "enum",    "anyOf",    "properties", "required",    "additionalProperties",
        "items",   "minItems", "maxItems",   "$ref"};
    for (const auto& [keyword, unused] : schema.items()) {
      if (!known.contains(keyword))
        faults.push_back(place + ": the schema says '" + keyword + "', which nobody checks");
    }
    if (schema.contains("$ref")) {
      const std::string target = schema["$ref"];
      return check(root_.at(Json::json_pointer(target.substr(1))), value, place, faults);
    }
    if (schema.contains("type") && !has_one_type(schema["type"], value)) {
      faults.push_back(place + ": is " + value.dump().substr(0, 60) + " (expected " + schema["type"].dump() + ")");
      return;
    }
    if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
      faults.push_back(place + ": is " + value.dump() + " (expected one of " + schema["enum"].dump() + ")");
    }
    if (schema.contains("anyOf") && !fits_one(schema["anyOf"], value, place)) {
      faults.push_back(place + ": fits no alternative");
    }
    if (value.is_object()) check_object(schema, value, place, faults);
    if (value.is_array()) check_array(schema, value, place, faults);
  }

  void check_object(const Json& schema, const Json& value, const std::string& place, Faults& faults) const {
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) faults.push_back(place + ": has no " + name.dump());
    }
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
      const std::string inside = place + "." + name;
      if (properties.contains(name)) {
        check(properties[name], member, inside, faults);
      } else if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
        check(schema["additionalProperties"], member, inside, faults);
      } else if (schema.contains("properties")) {
        faults.push_back(inside + ": is not in the schema");
      }
    }
  }

  void check_array(const Json& schema, const Json& value, const std::string& place, Faults& faults) const {
    const size_t size = value.size();
    if (size < schema.value("minItems", size_t{0}) || size > schema.value("maxItems", size)) {
      faults.push_back(place + ": has " + std::to_string(size) + " elements");
    }
    if (!schema.contains("items")) return;
    for (size_t i = 0; i < size; ++i) check(schema["items"], value[i], place + "[" + std::to_string(i) + "]", faults);
  }

  Json root_;
};

}  // namespace bertha
