#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bertha {

struct Answer {
  std::string text;   // not empty
  int64_t start = 0;  // in the context, in code points; -1 where the text stands nowhere in it
};

struct Question {
  std::string id, question;
  std::shared_ptr<const std::string> context;  // shared by all questions of a paragraph
  std::vector<Answer> answers;
  bool impossible = false;  // there are no answers
};

struct SquadFile {
  std::vector<Question> questions;
  int64_t misplaced = 0;  // answers whose text is not where the file says
  int64_t relocated = 0;  // of them those that stand elsewhere in the context; `start` is the nearest such place
  std::vector<std::string> first_problems;  // ids of questions with misplaced answers, at most 5
};

/// Reads a file in SQuAD's layout, 1.1 or 2.0: `data[].paragraphs[].{context, qas[].{id, question, is_impossible?,
/// answers[].{text, answer_start}}}`; whatever else there is, is passed over. `.gz` is decompressed.
/// Throws what open_bytes throws; DamagedFileError naming the file and the place within the JSON for what is not JSON
/// (UTF-8), a missing, repeated or wrongly typed member, an empty answer, answers to an impossible question, a repeated
/// id, more than 1 GiB, or 16 MiB in a context, and a file without questions.
/// Source: Rajpurkar et al. 2016 (arXiv:1606.05250), 2018 (arXiv:1806.03822).
SquadFile read_squad(const std::string& path);

}  // namespace bertha
