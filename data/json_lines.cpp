#include "data/json_lines.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/json_reader.h"
#include "data/lines.h"

namespace bertha {
namespace {

using nlohmann::json;

/// Takes the string `text` out of an object and builds nothing of the rest.
class TextTaker : public json::json_sax_t {
 public:
  /// What is wrong with the line; empty where nothing is.
  const std::string& complaint() const { return complaint_; }
  std::string& text() { return text_; }

  bool null() override { return pass_over("null"); }
  bool boolean(bool) override { return pass_over("a boolean"); }
  bool number_integer(json::number_integer_t) override { return pass_over("a number"); }
  bool number_unsigned(json::number_unsigned_t) override { return pass_over("a number"); }
  bool number_float(json::number_float_t, const std::string&) override { return pass_over("a number"); }
  bool binary(json::binary_t&) override { return pass_over("binary"); }
  bool string(std::string& value) override {
    if (depth_ != 1 || !is_text_) return pass_over("a string");
    if (found_) return refuse("'text' stands twice");
    found_ = true;
    text_.swap(value);
    return true;
  }
  bool key(std::string& name) override {
    is_text_ = name == "text";
    return true;
  }
  bool start_object(size_t) override { return (depth_ == 0 || pass_over("an object")) && ++depth_; }
  bool end_object() override { return --depth_ > 0 || found_ || refuse("'text' is missing"); }
  bool start_array(size_t) override { return pass_over("an array") && ++depth_; }
  bool end_array() override { return --depth_; }
  // The library's own sentence quotes what it read, which may be megabytes.
  bool parse_error(size_t byte, const std::string&, const json::exception&) override {
    return refuse("not JSON at byte " + std::to_string(byte));
  }

 private:
  bool refuse(std::string complaint) {
    complaint_ = std::move(complaint);
    return false;
  }
  /// For every value but the text and the line's object.
  bool pass_over(const char* kind) {
    if (depth_ == 0) return refuse(std::string("is ") + kind);
    return depth_ > 1 || !is_text_ || refuse(std::string("'text' is ") + kind);
  }

  int64_t depth_ = 0;
  bool is_text_ = false;  // the last key, which at depth 1 is the value's own
  bool found_ = false;
  std::string text_, complaint_;
};

/// The lines that are not blank, and a blank line behind them.
void make_document(std::string& text) {
  text.push_back('\n');
  size_t end = 0;
  for_each_line(text, [&](std::string_view line) {
    if (is_blank(line)) return;
    std::memmove(text.data() + end, line.data(), line.size());
    end += line.size();
    text[end++] = '\n';
  });
  text.resize(end);
  if (end > 0) text.push_back('\n');
}

}  // namespace

JsonLines::JsonLines(std::string path, std::unique_ptr<ByteStream> lines) : lines_(std::move(path), std::move(lines)) {}

size_t JsonLines::read(std::span<char> out) {
  size_t done = 0;
  while (done < out.size() && (given_ < document_.size() || next_document())) {
    const size_t part = document_.copy(out.data() + done, out.size() - done, given_);
    given_ += part;
    done += part;
  }
  return done;
}

/// False behind the last; a document may be empty.
bool JsonLines::next_document() {
  std::string_view line;
  do {
    if (!lines_.next(line)) return false;
  } while (is_blank(line));
  // The parser takes a zero byte for the end.
  const size_t zero = line.find('\0');
  check<DamagedFileError>(zero == line.npos, lines_.path(), ":", lines_.number(), ": byte ", zero, " is zero");
  check_long_json(line, lines_.path());
  TextTaker taker;
  const bool taken = json::sax_parse(line.begin(), line.end(), &taker);
  check<DamagedFileError>(taken, lines_.path(), ":", lines_.number(), ": ", taker.complaint(),
                          " (expected an object with a string 'text')");
  document_.swap(taker.text());
  make_document(document_);
  given_ = 0;
  return true;
}

}  // namespace bertha
