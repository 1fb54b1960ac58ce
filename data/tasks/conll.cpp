#include "data/tasks/conll.h"

#include "autograd/core/error.h"
#include "data/lines.h"
#include "data/shown.h"
#include "data/tasks/blank_separated.h"
#include "data/tasks/utf8_lines.h"

namespace bertha {
namespace {

constexpr std::string_view kPrefixes = "BIES";
constexpr std::string_view kDocumentStart = "-DOCSTART-";

bool is_tag(std::string_view tag) {
  return tag == "O" || (tag.size() > 2 && kPrefixes.find(tag[0]) != kPrefixes.npos && tag[1] == '-');
}

void check_tag(std::string_view tag, const std::string& path, int64_t line) {
  if (!is_tag(tag))
    fail<DamagedFileError>(path, ":", line, ": tag ", shown(tag), " (expected O, or B-, I-, E- or S- and a type)");
}

}  // namespace

std::vector<TaggedSentence> read_conll(const std::string& path) {
  Utf8Lines lines(path);
  std::vector<TaggedSentence> sentences;
  bool inside = false;
  for (std::string_view line; lines.next(line);) {
    const bool ends = is_blank(line) || line.starts_with(kDocumentStart);
    if (!ends && !inside) sentences.emplace_back().line = lines.number();
    inside = !ends;
    if (ends) continue;
    std::vector<std::string> columns = blank_separated(line);
    if (columns.size() < 2) lines.refuse(lines.number(), "one column, ", shown(line), " (expected a word and a tag)");
    check_tag(columns.back(), path, lines.number());
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
    TaggedSentence sentence{table.list(row, words), table.list(row, tags), table.line(row)};
    check<DamagedFileError>(sentence.words.size() == sentence.tags.size(), table.path(), ":", sentence.line, ": ",
                            sentence.words.size(), " words and ", sentence.tags.size(), " tags");
    for (const std::string& tag : sentence.tags) check_tag(tag, table.path(), sentence.line);
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace bertha
