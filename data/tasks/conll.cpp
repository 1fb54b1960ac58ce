#include "data/tasks/conll.h"

#include <algorithm>

#include "autograd/core/error.h"
#include "data/lines.h"
#include "data/shown.h"
#include "data/tasks/blank_separated.h"
#include "data/tasks/utf8_lines.h"

namespace bertha {
namespace {

constexpr std::string_view kDocumentStart = "-DOCSTART-";

}  // namespace

std::vector<TaggedSentence> read_conll(const std::string& path) {
  Utf8Lines lines(path);
  std::vector<TaggedSentence> sentences;
  bool inside = false;
  for (std::string_view line; lines.next(line);) {
    const bool ends = is_blank(line) || line.starts_with(kDocumentStart);
    if (!ends && !inside) sentences.push_back({.line = lines.number(), .by_lines = true});
    inside = !ends;
    if (ends) continue;
    std::vector<std::string> columns = blank_separated(line);
    if (columns.size() < 2) lines.refuse(lines.number(), "one column, ", shown(line), " (expected a word and a tag)");
    sentences.back().words.push_back(std::move(columns.front()));
    sentences.back().tags.push_back(std::move(columns.back()));
  }
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
