#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

namespace bertha {

/// A special token as `added_tokens` of tokenizer.json lists it.
inline nlohmann::json added_token(int64_t id, std::string_view content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace bertha
