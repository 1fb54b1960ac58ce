#include "data/tasks/conll.h"

#include <algorithm>

#include "autograd/core/error.h"
#include "data/lines.h"
#include "data/shown.h"
#include "data/tasks/utf8_lines.h"

namespace bertha {
namespace {

constexpr std::string_view kDocumentStart = "-DOCSTART-";

/// Calls f(word, tag, first_line) for each word, where first_line is 0 within a sentence.
template <class F>
void for_each_word(const std::string& path, F&& f) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  Utf8Lines lines(path);
  bool inside = false;
  for (std::string_view line; lines.next(line);) {
    const bool ends = is_blank(line) || line.starts_with(kDocumentStart);
    if (!ends) {
      const size_t first = line.find_first_not_of(kBlanks);
      const std::string_view columns = line.substr(first, line.find_last_not_of(kBlanks) + 1 - first);
      const size_t behind_word = columns.find_first_of(kBlanks);
      if (behind_word == line.npos)
        lines.refuse(lines.number(), "one column, ", shown(line), " (expected a word and a tag)");
      f(columns.substr(0, behind_word), columns.substr(columns.find_last_of(kBlanks) + 1), inside ? 0 : lines.number());
    }
    inside = !ends;
  }
}

}  // namespace

std::vector<TaggedSentence> read_conll(const std::string& path) {
  for_each_word(path, [](std::string_view, std::string_view, int64_t) {});  // refuses before anything is kept
  std::vector<TaggedSentence> sentences;
  for_each_word(path, [&](std::string_view word, std::string_view tag, int64_t first_line) {
    if (first_line > 0) sentences.push_back({.line = first_line, .by_lines = true});
    sentences.back().words.emplace_back(word);
    sentences.back().tags.emplace_back(tag);
  });
  check<DamagedFileError>(!sentences.empty(), path, ": no sentences");
  return sentences;
}

std::vector<TaggedSentence> tagged_sentences(const Table& table, std::string_view words_column,
                                             std::string_view tags_column) {
  const size_t words = table.column(words_column), tags = table.column(tags_column);
  std::vector<TaggedSentence> sentences;
  for (size_t row = 0; row < table.rows(); ++row) {
    TaggedSentence sentence{.words = table.list(row, words), .tags = table.list(row, tags), .line = table.line(row)};
    check<DamagedFileError>(sentence.words.size() == sentence.tags.size(), table.path(), ":", sentence.line, ": ",
                            sentence.words.size(), " words and ", sentence.tags.size(), " tags");
    check<DamagedFileError>(std::ranges::count(sentence.tags, "") == 0, table.path(), ":", sentence.line,
                            ": an empty tag (expected O, or the name of one)");
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace bertha
