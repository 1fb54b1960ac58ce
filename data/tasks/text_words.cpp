#include "data/tasks/text_words.h"

#include "data/word_splitter.h"

namespace bertha {

std::vector<TextWord> words_of(std::string_view text) {
  WordSplitter splitter(Casing::kCased, Sources::kTracked);
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

}  // namespace bertha
