#include "data/tasks/squad.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/shown.h"
#include "data/text_file.h"

namespace bertha {
namespace {

using nlohmann::json;

constexpr int64_t kMaxBytes = int64_t{1} << 30;
constexpr int64_t kMaxContextBytes = int64_t{16} << 20;
constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kMostProblems = 5;
// Of comparisons of bytes. A text of SQuAD all of whose answers are misplaced needs 36 a byte.
constexpr uint64_t kSearchAtLeast = uint64_t{1} << 28, kSearchPerByte = 1024;

std::string read_whole(const std::string& path) {
  const auto bytes = open_bytes(path);
  std::string content;
  for (size_t got = kReadBytes; got == kReadBytes;) {
    check<DamagedFileError>(std::ssize(content) <= kMaxBytes, path, ": more than ", kMaxBytes >> 20, " MiB");
    const size_t begin = content.size();
    content.resize(begin + kReadBytes);
    got = bytes->read(std::span(content).subspan(begin));
    content.resize(begin + got);
  }
  return content;
}

// ---- What the JSON must look like ----

enum class Kind { kObject, kArray, kText, kInteger, kBoolean };

constexpr std::string_view name_of(Kind kind) {
  constexpr std::string_view kNames[] = {"an object", "an array", "a text", "an integer", "true or false"};
  return kNames[static_cast<size_t>(kind)];
}

enum class Presence { kRequired, kOptional };

struct Shape;

struct Member {
  std::string_view name;
  const Shape* shape;
  Presence presence = Presence::kRequired;
};

/// A value that somebody looks at.
struct Shape {
  Kind kind;
  std::span<const Member> members{};  // of an object
  const Shape* element = nullptr;     // of an array
};

constexpr Shape kAnswerText{Kind::kText}, kAnswerStart{Kind::kInteger};
constexpr Member kAnswerMembers[] = {{"text", &kAnswerText}, {"answer_start", &kAnswerStart}};
constexpr Shape kAnswer{Kind::kObject, kAnswerMembers};
constexpr Shape kAnswers{Kind::kArray, {}, &kAnswer};

constexpr Shape kId{Kind::kText}, kQuestionText{Kind::kText}, kImpossible{Kind::kBoolean};
constexpr Member kQuestionMembers[] = {{"id", &kId},
                                       {"question", &kQuestionText},
                                       {"answers", &kAnswers},
                                       {"is_impossible", &kImpossible, Presence::kOptional}};
constexpr Shape kQuestion{Kind::kObject, kQuestionMembers};
constexpr Shape kQuestions{Kind::kArray, {}, &kQuestion};

constexpr Shape kContext{Kind::kText};
constexpr Member kParagraphMembers[] = {{"context", &kContext}, {"qas", &kQuestions}};
constexpr Shape kParagraph{Kind::kObject, kParagraphMembers};
constexpr Shape kParagraphs{Kind::kArray, {}, &kParagraph};

constexpr Member kArticleMembers[] = {{"paragraphs", &kParagraphs}};
constexpr Shape kArticle{Kind::kObject, kArticleMembers};
constexpr Shape kArticles{Kind::kArray, {}, &kArticle};

constexpr Member kFileMembers[] = {{"data", &kArticles}};
constexpr Shape kFile{Kind::kObject, kFileMembers};

// ---- Answers in their context ----

/// A context that knows where its code points begin.
class PlacedContext {
 public:
  explicit PlacedContext(const std::string& text) : text_(text) {
    for (size_t i = 0; i < text.size(); ++i)
      if ((text[i] & 0xC0) != 0x80) begins_.push_back(static_cast<uint32_t>(i));
  }

  size_t bytes() const { return text_.size(); }
  bool has(const std::string& part, int64_t start) const {
    return start >= 0 && start < std::ssize(begins_) && text_.compare(begins_[start], part.size(), part) == 0;
  }

  /// The place of `part` nearest to `start`, the earlier of two; -1 where there is none.
  int64_t nearest(const std::string& part, int64_t start) const {
    if (begins_.empty()) return -1;
    const size_t from = begins_[static_cast<size_t>(std::clamp<int64_t>(start, 0, std::ssize(begins_) - 1))];
    const size_t before = text_.rfind(part, from), after = text_.find(part, from);
    if (before == text_.npos && after == text_.npos) return -1;
    const bool take_after = before == text_.npos || (after != text_.npos && after - from < from - before);
    return std::ranges::lower_bound(begins_, take_after ? after : before) - begins_.begin();
  }

 private:
  const std::string& text_;
  std::vector<uint32_t> begins_;
};

// ---- Reading ----

/// What of a file is kept. Reading it once for nothing refuses what is damaged before it takes memory.
enum class Keep { kNothing, kEverything };

class SquadReader : public json::json_sax_t {
 public:
  /// `path` names the file; misplaced answers are searched for as long as a file of `bytes` is worth it.
  SquadReader(Keep keep, const std::string& path, size_t bytes)
      : keep_(keep), path_(path), search_left_(kSearchAtLeast + kSearchPerByte * bytes) {}

  const std::string& complaint() const { return complaint_; }
  /// Where the text is not JSON, in bytes from 1.
  std::optional<size_t> damaged_byte() const { return damaged_byte_; }
  size_t questions() const { return questions_; }
  SquadFile take() { return std::move(file_); }

  bool null() override { return value(std::nullopt, "null").has_value(); }
  bool boolean(bool flag) override {
    const auto shape = value(Kind::kBoolean, flag ? "true" : "false");
    if (shape == &kImpossible) question_.impossible = flag;
    return shape.has_value();
  }
  bool number_integer(json::number_integer_t number) override {
    const auto shape = value(Kind::kInteger, "a number");
    if (shape == &kAnswerStart) answer_.start = number;
    return shape.has_value();
  }
  bool number_unsigned(json::number_unsigned_t number) override {
    constexpr uint64_t kMost = kMaxContextBytes;  // behind the end of any context
    return number_integer(static_cast<int64_t>(std::min<uint64_t>(number, kMost)));
  }
  bool number_float(json::number_float_t, const std::string& written) override {
    return value(std::nullopt, shown(written)).has_value();
  }
  bool binary(json::binary_t&) override { return value(std::nullopt, "binary").has_value(); }
  bool string(std::string& text) override {
    const auto shape = value(Kind::kText, "a text");
    if (!shape) return false;
    if (shape == &kContext) {
      if (std::ssize(text) > kMaxContextBytes)
        return refuse(path() + ": more than " + std::to_string(kMaxContextBytes >> 20) + " MiB");
      if (keep_ == Keep::kEverything) context_ = std::move(text);
    }
    if (shape == &kQuestionText) question_.question = std::move(text);
    if (shape == &kId) {
      if (!ids_.insert(checksum_of(std::as_bytes(std::span(text)))).second)
        return refuse(path() + ": " + shown(text) + " stands twice");
      question_.id = std::move(text);
    }
    if (shape == &kAnswerText) {
      if (text.empty()) return refuse(path() + ": is empty");
      answer_.text = std::move(text);
    }
    return true;
  }

  bool key(std::string& name) override {
    if (unwatched_ > 0) return true;
    Level& level = levels_.back();
    const auto& members = level.shape->members;
    level.member = std::ranges::find(members, name, &Member::name) - members.begin();
    if (level.member == std::ssize(members)) return true;
    const bool again = level.seen & 1u << level.member;
    level.seen |= 1u << level.member;
    return !again || refuse(path() + ": stands twice");
  }
  bool start_object(size_t) override { return open(Kind::kObject); }
  bool start_array(size_t) override { return open(Kind::kArray); }
  bool end_array() override { return unwatched_ > 0 ? unwatched_-- > 0 : close(); }
  bool end_object() override { return unwatched_ > 0 ? unwatched_-- > 0 : close(); }
  // The library's own sentence quotes what it read, which may be megabytes.
  bool parse_error(size_t byte, const std::string&, const json::exception&) override {
    damaged_byte_ = byte;
    return false;
  }

 private:
  struct Level {  // an object or array that somebody looks at
    const Shape* shape;
    int64_t member = -1;  // of an object: which of its shape's; of an array: the element's index
    unsigned seen = 0;    // members, as bits
  };

  bool refuse(std::string complaint) {
    complaint_ = std::move(complaint);
    return false;
  }

  /// Of the present value.
  std::string path() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.shape->kind == Kind::kArray) {
        path.append("[").append(std::to_string(level.member)).append("]");
      } else if (level.member >= 0) {
        path.append(path.empty() ? "" : ".").append(level.shape->members[static_cast<size_t>(level.member)].name);
      }
    }
    return path.empty() ? "the file" : path;
  }

  /// What the value that begins must look like; null where nobody looks at it.
  const Shape* next_shape() {
    if (unwatched_ > 0) return nullptr;
    if (levels_.empty()) return &kFile;
    Level& level = levels_.back();
    if (level.shape->kind == Kind::kArray) {
      ++level.member;
      return level.shape->element;
    }
    const bool known = level.member < std::ssize(level.shape->members);
    return known ? level.shape->members[static_cast<size_t>(level.member)].shape : nullptr;
  }

  /// The shape of a value of this kind, null where nobody looks; none, and a complaint, where it must be another kind.
  std::optional<const Shape*> value(std::optional<Kind> kind, std::string_view found) {
    const Shape* shape = next_shape();
    if (!shape || kind == shape->kind) return shape;
    refuse(path() + ": is " + std::string(found) + " (expected " + std::string(name_of(shape->kind)) + ")");
    return std::nullopt;
  }

  bool open(Kind kind) {
    const auto shape = value(kind, name_of(kind));
    if (!shape) return false;
    if (*shape) {
      levels_.push_back({*shape});
    } else {
      ++unwatched_;
    }
    return true;
  }

  bool close() {
    const Level level = levels_.back();
    levels_.pop_back();
    for (size_t i = 0; i < level.shape->members.size(); ++i) {
      const Member& member = level.shape->members[i];
      if (member.presence == Presence::kRequired && !(level.seen & 1u << i))
        return refuse((levels_.empty() ? "" : path() + ".") + std::string(member.name) + ": is missing");
    }
    if (level.shape == &kAnswer) add_answer();
    if (level.shape == &kQuestion) return add_question();
    if (level.shape == &kParagraph) add_paragraph();
    return true;
  }

  void add_answer() {
    ++answers_;
    if (keep_ == Keep::kEverything) question_.answers.push_back(std::move(answer_));
    answer_ = {};
  }

  bool add_question() {
    const size_t answers = std::exchange(answers_, 0);
    ++questions_;
    if (question_.impossible && answers > 0)
      return refuse(path() + ": is_impossible, and " + std::to_string(answers) + " answer(s)");
    question_.impossible = answers == 0;
    if (keep_ == Keep::kEverything) paragraph_.push_back(std::move(question_));
    question_ = {};
    return true;
  }

  void add_paragraph() {
    const auto context = std::make_shared<const std::string>(std::exchange(context_, {}));
    const PlacedContext placed(*context);
    for (Question& question : paragraph_) {
      question.context = context;
      place_answers(question, placed);
      file_.questions.push_back(std::move(question));
    }
    paragraph_.clear();
  }

  void place_answers(Question& question, const PlacedContext& context) {
    int64_t misplaced = 0;
    for (Answer& answer : question.answers) {
      if (context.has(answer.text, answer.start)) continue;
      const uint64_t comparisons = uint64_t{context.bytes()} * answer.text.size();
      check<DamagedFileError>(comparisons <= search_left_, path_, ": too many answers are not where it says");
      search_left_ -= comparisons;
      answer.start = context.nearest(answer.text, answer.start);
      ++misplaced;
      file_.relocated += answer.start >= 0;
    }
    file_.misplaced += misplaced;
    if (misplaced > 0 && file_.first_problems.size() < kMostProblems) file_.first_problems.push_back(question.id);
  }

  Keep keep_;
  const std::string& path_;
  uint64_t search_left_;
  std::vector<Level> levels_;
  int64_t unwatched_ = 0;  // objects and arrays that are open and nobody looks at
  Answer answer_;
  Question question_;
  std::string context_;
  std::vector<Question> paragraph_;     // whose context may still follow
  size_t answers_ = 0, questions_ = 0;  // of the present question, of the file
  std::unordered_set<uint64_t> ids_;    // by their hashes
  SquadFile file_;
  std::string complaint_;
  std::optional<size_t> damaged_byte_;
};

SquadFile parse(std::string_view content, const std::string& path, Keep keep) {
  SquadReader reader(keep, path, content.size());
  json::sax_parse(content.begin(), content.end(), &reader);
  if (const auto byte = reader.damaged_byte()) {
    const std::string_view before = content.substr(0, *byte - std::min<size_t>(*byte, 1));
    fail<DamagedFileError>(path, ":", 1 + std::ranges::count(before, '\n'), ": not JSON at byte ", *byte);
  }
  check<DamagedFileError>(reader.complaint().empty(), path, ": ", reader.complaint());
  check<DamagedFileError>(reader.questions() > 0, path, ": no questions");
  return reader.take();
}

}  // namespace

SquadFile read_squad(const std::string& path) {
  const std::string content = read_whole(path);
  // The parser takes a zero byte for the end.
  check<DamagedFileError>(content.find('\0') == content.npos, path, ": byte ", content.find('\0'), " is zero");
  parse(content, path, Keep::kNothing);
  return parse(content, path, Keep::kEverything);
}

}  // namespace bertha
