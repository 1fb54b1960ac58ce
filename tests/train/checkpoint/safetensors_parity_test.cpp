// Beside the reference implementation (PyPI's safetensors): nothing that it refuses is read here, and what is refused
// here alone is on the list of docs/reliability.md.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {
namespace {

constexpr int kFiles = 6000;

struct Stricter {
  std::string_view rule, sentence;  // a part of what is said here
};
const std::vector<Stricter> kStricter = {
    {"no tensor twice", "duplicate tensor"},
    {"no key of the metadata twice", "duplicate key"},
    {"no other key in a tensor's entry", "an unknown key"},
    {"metadata is an object", "null where"},
    {"no dtype of less than a byte, nor one that BERT has no use for", "has unknown dtype"},
    {"a number of elements that fits 63 bits, whatever follows", "has a shape whose size overflows"},
    {"at most 64 dimensions of less than 2^63", "a number where"},
    {"at most 10,000 keys of the metadata", "'__metadata__' has more than"},
};

std::string with_header(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return std::string(R"({"dtype":")")
      .append(dtype)
      .append(R"(","shape":[)")
      .append(shape)
      .append(R"(],"data_offsets":[)")
      .append(offsets)
      .append("]}");
}

/// Headers with their data: sound ones, and one for each way of being stricter.
std::vector<std::pair<std::string, std::string>> originals() {
  std::string many_keys;
  for (int i = 0; i <= 10'000; ++i)
    many_keys.append(i > 0 ? ",\"k" : "\"k").append(std::to_string(i)).append("\":\"\"");
  std::string many_dimensions = "1";
  for (int i = 0; i < 64; ++i) many_dimensions += ",1";
  return {{R"({"__metadata__":{"format":"pt","a":"b"},"w":)" + entry("F32", "1,2", "0,8") + R"(,"b":)" +
               entry("BF16", "2", "8,12") + R"(,"s":)" + entry("I64", "", "12,20") + R"(,"e":)" +
               entry("BOOL", "0", "20,20") + "}  ",
           std::string(20, 'x')},
          {R"({"a":)" + entry("F16", "2,1", "0,4") + R"(,"\u00e9":)" + entry("U8", "1", "4,5") + "}", "abcde"},
          {"{}", ""},
          {R"({"a":)" + entry("U8", "0", "0,0") + R"(,"a":)" + entry("U8", "0", "0,0") + "}", ""},
          {R"({"__metadata__":{"a":"b","a":"c"}})", ""},
          {R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":{"deep":[1]}}})", ""},
          {R"({"__metadata__":null})", ""},
          {R"({"a":)" + entry("F4", "2", "0,1") + "}", "a"},
          {R"({"a":)" + entry("U8", "9223372036854775807,2,0", "0,0") + "}", ""},
          {R"({"a":)" + entry("U8", "18446744073709551615,0", "0,0") + "}", ""},
          {R"({"a":)" + entry("U8", many_dimensions, "0,1") + "}", "a"},
          {R"({"__metadata__":{)" + many_keys + "}}", ""}};
}

/// A few changes of bytes and pieces, of the header more than of its length or the data.
std::string mutated(std::string header, std::string data, RandomStream& random) {
  const std::vector<std::string> kPieces = {"\"a\":",
                                            "{}",
                                            "[]",
                                            ",",
                                            "0",
                                            "1",
                                            "-1",
                                            "1.0",
                                            "1e2",
                                            "null",
                                            "true",
                                            "\"dtype\":\"F64\"",
                                            "\"shape\":",
                                            "18446744073709551616",
                                            " ",
                                            "\n",
                                            "\\u0061",
                                            "\"",
                                            "}",
                                            "{",
                                            "]",
                                            "[",
                                            std::string(1, '\0'),
                                            "\xFF",
                                            "\xEF\xBB\xBF",
                                            "__metadata__",
                                            "4",
                                            "8",
                                            "12",
                                            "\"U8\"",
                                            "F8_E4M3",
                                            "F8_E5M2",
                                            "F6_E2M3",
                                            "C64"};
  const auto place = [&](const std::string& text) { return random.below(static_cast<uint32_t>(text.size()) + 1); };
  for (uint32_t changes = random.below(4); changes > 0; --changes) {
    const size_t at = place(header), length = random.below(8);
    switch (random.below(6)) {
      case 0:
        header.erase(at, length);
        break;
      case 1:
        header.insert(place(header), header.substr(at, random.below(60)));
        break;
      case 2:
        data.resize(random.below(30), 'y');
        break;
      case 3:
        if (at < header.size()) header[at] = static_cast<char>('0' + random.below(10));
        break;
      default:
        header.insert(at, kPieces[random.below(static_cast<uint32_t>(kPieces.size()))]);
    }
  }
  std::string bytes = with_header(header, data);
  if (random.below(10) == 0) bytes[random.below(8)] ^= static_cast<char>(1 << random.below(8));
  if (random.below(10) == 0) bytes.resize(place(bytes));
  return bytes;
}

/// What is wrong with a file; nothing where it is read.
std::string complaint_of(const std::string& path) {
  try {
    const SafetensorsFile file(path);
    return "";
  } catch (const DamagedFileError& error) {
    return error.what();
  }
}

std::map<std::string, std::string> verdicts_of_the_reference(const std::string& folder) {
  const TemporaryDirectory output;
  const std::string script = std::string(BERTHA_SOURCE_DIR) + "/tests/fixtures/read_safetensors.py";
  const std::string command =
      quoted(python()) + " " + quoted(script) + " " + quoted(folder) + " >" + (output / "verdicts") + " 2>/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::map<std::string, std::string> verdicts;
  std::ifstream lines(output / "verdicts");
  for (std::string name, verdict; std::getline(lines, name, '\t') && std::getline(lines, verdict);)
    verdicts[name] = verdict;
  return verdicts;
}

TEST(SafetensorsParity, IsAsStrictAsTheReferenceAndStricterWhereTheListSaysSo) {
  if (!python_has("safetensors")) GTEST_SKIP() << python() << " has no safetensors (BERTHA_PYTHON names another)";
  const TemporaryDirectory folder;
  RandomStream random(1, "test");
  const auto sources = originals();
  for (int i = 0; i < kFiles; ++i) {
    const size_t source = static_cast<size_t>(i) < sources.size() ? static_cast<size_t>(i) : random.below(3 + i % 9);
    const auto& [header, data] = sources[source];
    const bool as_it_is = static_cast<size_t>(i) < sources.size();
    std::ofstream(folder / std::to_string(i), std::ios::binary)
        << (as_it_is ? with_header(header, data) : mutated(header, data, random));
  }
  std::map<std::string_view, int> only_here;
  int both_read = 0, both_refuse = 0;
  for (const auto& [name, verdict] : verdicts_of_the_reference(folder.path())) {
    const std::string complaint = complaint_of(folder / name);
    const bool read_there = verdict == "read";
    both_read += read_there && complaint.empty();
    both_refuse += !read_there && !complaint.empty();
    EXPECT_TRUE(read_there || !complaint.empty()) << name << " is read here, and there: " << verdict;
    if (!read_there || complaint.empty()) continue;
    const auto rule = std::ranges::find_if(
        kStricter, [&](const Stricter& s) { return complaint.find(s.sentence) != complaint.npos; });
    EXPECT_NE(rule, kStricter.end()) << "not on the list: " << complaint;
    if (rule != kStricter.end()) ++only_here[rule->rule];
  }
  EXPECT_GT(both_read, kFiles / 20);
  EXPECT_GT(both_refuse, kFiles / 4);
  for (const Stricter& stricter : kStricter) EXPECT_GT(only_here[stricter.rule], 0) << stricter.rule;
  for (const auto& [rule, files] : only_here) RecordProperty(std::string(rule), files);
}

}  // namespace
}  // namespace bertha
