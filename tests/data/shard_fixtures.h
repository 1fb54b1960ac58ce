#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "autograd/core/random.h"
#include "data/sharder.h"
#include "data/wordpiece.h"
#include "tests/temporary_directory.h"

namespace bertha {

inline std::string write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every file of a directory by name.
inline std::map<std::string, std::string> read_directory(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files[entry.path().filename().string()] = read_file(entry.path().string());
  }
  return files;
}

inline std::string word_name(int64_t word) {
  return std::string("w").append(std::to_string(word));
}

/// A tokenizer whose words are w0, w1, ...; word i has id 5 + i.
inline WordPiece numbered_words(int32_t words) {
  std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (int32_t word = 0; word < words; ++word) tokens.push_back(word_name(word));
  return {Vocabulary(std::move(tokens), "test"), /*lowercase=*/true};
}

/// Documents of 1 to `max_lines` lines of 1 to `max_words` random words.
inline std::string random_text(uint64_t seed, int documents, uint32_t max_lines, uint32_t max_words, uint32_t words) {
  RandomStream stream(seed, "test text");
  std::string text;
  for (int document = 0; document < documents; ++document) {
    const uint32_t lines = 1 + stream.below(max_lines);
    for (uint32_t line = 0; line < lines; ++line) {
      const uint32_t length = 1 + stream.below(max_words);
      for (uint32_t i = 0; i < length; ++i)
        text.append(word_name(stream.below(words))).append(i + 1 < length ? " " : "");
      text += "\n";
    }
    text += "\n";
  }
  return text;
}

}  // namespace bertha
