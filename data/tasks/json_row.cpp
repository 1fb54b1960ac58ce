#include "data/tasks/json_row.h"

#include <nlohmann/json.hpp>
#include <set>

#include "data/shown.h"

namespace bertha {
namespace {

using nlohmann::json;

// Each takes many times its bytes.
constexpr size_t kMostMembers = 10'000, kMostElements = 100'000;

/// Collects the members of one object.
class FieldTaker : public json::json_sax_t {
 public:
  explicit FieldTaker(std::vector<JsonField>& fields) : fields_(fields) {}

  const std::string& complaint() const { return complaint_; }

  bool null() override { return pass_over("null"); }
  bool boolean(bool value) override { return text(value ? "true" : "false"); }
  bool number_integer(json::number_integer_t value) override { return text(std::to_string(value)); }
  bool number_unsigned(json::number_unsigned_t value) override { return text(std::to_string(value)); }
  bool number_float(json::number_float_t, const std::string& written) override { return text(written); }
  bool binary(json::binary_t&) override { return pass_over("binary"); }
  bool string(std::string& value) override {
    return value.find('\0') == value.npos ? text(std::move(value)) : pass_over("a text with a zero byte");
  }
  bool key(std::string& name) override {
    if (depth_ != 1) return true;
    if (!names_.insert(name).second) return refuse(shown(name) + " stands twice");
    if (fields_.size() == kMostMembers) return refuse("has more than " + std::to_string(kMostMembers) + " members");
    fields_.emplace_back().name = std::move(name);
    return true;
  }
  bool start_object(size_t) override { return (depth_ == 0 || pass_over("an object")) && ++depth_; }
  bool end_object() override { return depth_--; }
  bool start_array(size_t) override {
    if (depth_ == 1) {
      fields_.back().is_list = true;
    } else if (!pass_over("an array")) {
      return false;
    }
    return ++depth_;
  }
  bool end_array() override { return depth_--; }
  // The library's own sentence quotes what it read, which may be megabytes.
  bool parse_error(size_t byte, const std::string&, const json::exception&) override {
    return refuse("not JSON at byte " + std::to_string(byte));
  }

 private:
  bool refuse(std::string complaint) {
    complaint_ = std::move(complaint);
    return false;
  }
  bool text(std::string value) {
    if (depth_ == 0) return refuse("is " + shown(value));
    JsonField& field = fields_.back();
    if (depth_ == 1) {
      field.text = std::move(value);
    } else if (depth_ == 2 && field.is_list) {
      if (field.items.size() == kMostElements)
        return refuse("has an array of more than " + std::to_string(kMostElements) + " elements");
      if (!field.items.empty()) field.text += ' ';
      field.text += value;
      field.items.push_back(std::move(value));
    }
    return true;
  }
  /// For what is no text; inside of it nobody looks.
  bool pass_over(const char* kind) {
    if (depth_ == 0) return refuse(std::string("is ") + kind);
    JsonField& field = fields_.back();
    if (depth_ == 1 || (depth_ == 2 && field.is_list)) field.problem = kind;
    return true;
  }

  std::vector<JsonField>& fields_;
  std::set<std::string> names_;
  int64_t depth_ = 0;
  std::string complaint_;
};

}  // namespace

std::string read_json_row(std::string_view line, std::vector<JsonField>& fields) {
  FieldTaker taker(fields);
  json::sax_parse(line.begin(), line.end(), &taker);
  return taker.complaint();
}

}  // namespace bertha
