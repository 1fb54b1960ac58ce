#include "data/tasks/text_words.h"

#include <algorithm>

namespace bertha {

std::vector<TextWord> words_of(std::string_view text, Casing casing) {
  WordSplitter splitter(casing, Sources::kTracked);
  const Words& words = splitter.split(text);
  std::vector<TextWord> result;
  size_t begin = 0;
  for (const Words::Word& word : words.words) {
    const auto first = static_cast<int32_t>(words.sources[begin]);
    const auto last = static_cast<int32_t>(words.sources[word.end - 1]);
    result.push_back({words.bytes.substr(begin, word.end - begin), {first, last + 1}});
    begin = word.end;
  }
  return result;
}

std::optional<CodePoints> find_words(std::string_view text, std::string_view wanted, Casing casing) {
  const std::vector<TextWord> words = words_of(text, casing), run = words_of(wanted, casing);
  const auto found = std::ranges::search(words, run, {}, &TextWord::word, &TextWord::word);
  if (found.empty()) return std::nullopt;
  return CodePoints{found.front().place.begin, found.back().place.end};
}

}  // namespace bertha
