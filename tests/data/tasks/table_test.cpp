#include "data/tasks/table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "data/line_reader.h"
#include "tests/data/gzip.h"
#include "tests/data/shard_fixtures.h"
#include "tests/message_of.h"
#include "tests/shared_folder.h"

namespace bertha {
namespace {

using Strings = std::vector<std::string>;
using Rows = std::vector<Strings>;

/// A field of comma-separated values in quotes.
std::string quoted(const std::string& field) {
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + "\"";
}

class TableTest : public testing::Test {
 protected:
  Table read(const std::string& name, const std::string& content) {
    return Table::read(write_file(folder_ / name, content));
  }

  /// The columns' names and all rows.
  Rows rows(const std::string& name, const std::string& content) { return rows(read(name, content)); }
  static Rows rows(const Table& table) {
    Rows rows{{table.columns().begin(), table.columns().end()}};
    for (size_t row = 0; row < table.rows(); ++row) {
      rows.emplace_back();
      for (size_t column = 0; column < table.columns().size(); ++column) rows.back().push_back(table.at(row, column));
    }
    return rows;
  }

  /// What a damaged file is refused with, without its folder.
  std::string damage(const std::string& name, const std::string& content) {
    const std::string message = message_of<DamagedFileError>([&] { read(name, content); });
    const std::string folder = folder_ / "";
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }

  TemporaryDirectory folder_;
};

TEST_F(TableTest, TabSeparatedValuesKnowNoQuotes) {
  const Table table = read("a.tsv", "text\tlabel\na \"b\tx\n\"c\"\t\n");
  EXPECT_EQ(rows(table), (Rows{{"text", "label"}, {"a \"b", "x"}, {"\"c\"", ""}}));
  EXPECT_EQ(table.line(0), 2);
  EXPECT_EQ(table.line(1), 3);
  EXPECT_EQ(table.path(), folder_ / "a.tsv");
}

TEST_F(TableTest, TextMayComeFromWindows) {
  const Rows expected{{"text", "label"}, {"ä", "1"}, {"b", "2"}};
  EXPECT_EQ(rows("a.tsv", "\xEF\xBB\xBFtext\tlabel\r\nä\t1\r\nb\t2\r\n"), expected);
  EXPECT_EQ(rows("a.csv", "\xEF\xBB\xBFtext,label\r\nä,1\r\nb,2"), expected);
  EXPECT_EQ(rows("a.jsonl", "\xEF\xBB\xBF{\"text\":\"ä\",\"label\":1}\r\n{\"text\":\"b\",\"label\":2}\r\n"), expected);
  EXPECT_EQ(rows("a.tsv", "a\n\uFEFFb\n"), (Rows{{"a"}, {"\uFEFFb"}})) << "elsewhere it is text";
}

TEST_F(TableTest, EmptyLinesArePassedOver) {
  const Rows expected{{"a", "b"}, {"1", "2"}};
  EXPECT_EQ(rows("a.tsv", "\na\tb\n\n1\t2\n\n"), expected);
  EXPECT_EQ(rows("a.csv", "\na,b\n\r\n1,2\n\n"), expected);
  EXPECT_EQ(rows("a.jsonl", "\n \n{\"a\":1,\"b\":2}\n\t\n"), expected);
  EXPECT_EQ(read("a.tsv", "\na\tb\n\n1\t2\n\n").line(0), 4);
  EXPECT_EQ(rows("one.csv", "a\n\"\"\n\nb\n"), (Rows{{"a"}, {""}, {"b"}})) << "quotes make an empty field";
}

TEST_F(TableTest, CommaSeparatedValuesAreQuotedAsTheStandardSays) {
  const Table table = read("a.csv",
                           "id,\"text, all\",label\n"
                           "1,\"a \"\"b\"\", c\",x\n"
                           "2,\"two\r\nlines\n\n\",\n"
                           "\"3\",5\" pipe,\"\"\n"
                           "4,\"\"\"\",\",\"");
  EXPECT_EQ(rows(table), (Rows{{"id", "text, all", "label"},
                               {"1", "a \"b\", c", "x"},
                               {"2", "two\nlines\n\n", ""},
                               {"3", "5\" pipe", ""},
                               {"4", "\"", ","}}));
  EXPECT_EQ(table.line(1), 3);
  EXPECT_EQ(table.line(2), 7);
}

TEST_F(TableTest, JsonValuesAreTexts) {
  const Table table = read("a.jsonl", R"({"text": "a\n\u00e4\t", "label": 3, "score": 2.80, "yes": true}
{"yes": false, "score": -1e-3, "label": -7, "further": {"a": [null]}, "text": ""}
{"text": "x", "label": 123456789012345678901234567890, "score": 1.0, "yes": "maybe"})");
  EXPECT_EQ(rows(table), (Rows{{"text", "label", "score", "yes"},
                               {"a\nä\t", "3", "2.80", "true"},
                               {"", "-7", "-1e-3", "false"},
                               {"x", "123456789012345678901234567890", "1.0", "maybe"}}));
}

TEST_F(TableTest, JsonArraysAreLists) {
  const Table table = read("a.jsonl", R"({"words": ["New York", "is", 1, true], "tags": []}
{"words": "New York  is", "tags": ["a"]})");
  EXPECT_EQ(table.at(0, 0), "New York is 1 true");
  EXPECT_EQ(table.list(0, 0), (Strings{"New York", "is", "1", "true"}));
  EXPECT_EQ(table.at(0, 1), "");
  EXPECT_EQ(table.list(0, 1), Strings{});
  EXPECT_EQ(table.list(1, 0), (Strings{"New", "York", "is"}));
  EXPECT_EQ(table.list(1, 1), Strings{"a"});
}

TEST_F(TableTest, AJsonValueWithoutTextIsRefusedWhereItIsAskedFor) {
  const Table table = read("a.jsonl", R"({"a": "1", "b": "2"}
{"a": null, "b": "3"}
{"a": {"b": "x"}, "b": ["x", null]}
{"a": [["x"]], "b": [{"a": 1}, "y"]}
{"a": "x\u0000y", "b": "9", "c": null})");
  const auto problem = [&](size_t row, size_t column) {
    std::string message = message_of<DamagedFileError>([&] { table.at(row, column); });
    EXPECT_EQ(message_of<DamagedFileError>([&] { table.list(row, column); }), message);
    const std::string folder = folder_ / "",
                      expected = " (expected a text, a number, true, false, or an array of them)";
    EXPECT_TRUE(message.ends_with(expected)) << message;
    return message.substr(folder.size(), message.size() - folder.size() - expected.size());
  };
  EXPECT_EQ(table.at(0, 1), "2");
  EXPECT_EQ(problem(1, 0), "a.jsonl:2: 'a' is null");
  EXPECT_EQ(table.at(1, 1), "3");
  EXPECT_EQ(problem(2, 0), "a.jsonl:3: 'a' is an object");
  EXPECT_EQ(problem(2, 1), "a.jsonl:3: 'b' holds null");
  EXPECT_EQ(problem(3, 0), "a.jsonl:4: 'a' holds an array");
  EXPECT_EQ(problem(3, 1), "a.jsonl:4: 'b' holds an object");
  EXPECT_EQ(problem(4, 0), "a.jsonl:5: 'a' is a text with a zero byte");
  EXPECT_EQ(table.at(4, 1), "9");
}

TEST_F(TableTest, EachFormatMayBeCompressed) {
  const Rows expected{{"a", "b"}, {"1", "2"}};
  EXPECT_EQ(rows("a.tsv.gz", gzip("a\tb\n1\t2\n")), expected);
  EXPECT_EQ(rows("a.csv.gz", gzip("a,b\n1,2\n")), expected);
  EXPECT_EQ(rows("a.jsonl.gz", gzip("{\"a\":1,\"b\":2}\n")), expected);
}

TEST_F(TableTest, AColumnIsFoundByItsName) {
  const Table table = read("a.tsv", "sentence\tlabel\na\t1\n");
  EXPECT_EQ(table.column("sentence"), 0u);
  EXPECT_EQ(table.column("label"), 1u);
  EXPECT_EQ(message_of<ConfigError>([&] { table.column("lable"); }),
            folder_ / "a.tsv" + ": no column 'lable' (there are 'sentence', 'label'; did you mean 'label'?)");
  EXPECT_EQ(message_of<ConfigError>([&] { table.column("premise"); }),
            folder_ / "a.tsv" + ": no column 'premise' (there are 'sentence', 'label')");
  std::string header = "c0";
  for (int i = 1; i < 30; ++i) header += "\tc" + std::to_string(i);
  const std::string message = message_of<ConfigError>([&] { read("b.tsv", header + "\n" + header).column("premise"); });
  EXPECT_TRUE(message.ends_with("'c19', ...)")) << message;
}

TEST_F(TableTest, TheNameSaysTheFormat) {
  EXPECT_EQ(message_of<ConfigError>([&] { read("a.txt", "a\tb\n1\t2\n"); }),
            folder_ / "a.txt" + ": not a table by its name (expected .tsv, .csv or .jsonl, or one of them with .gz)");
  EXPECT_THROW(Table::read(folder_ / "missing.tsv"), ConfigError);
}

TEST_F(TableTest, AFileWithoutRowsIsRefused) {
  EXPECT_EQ(damage("a.tsv", ""), "a.tsv: empty (expected a line of column names)");
  EXPECT_EQ(damage("a.csv", "\n\n"), "a.csv: empty (expected a line of column names)");
  EXPECT_EQ(damage("a.jsonl", ""), "a.jsonl: no rows");
  EXPECT_EQ(damage("a.tsv", "a\tb\n"), "a.tsv: no rows");
  EXPECT_EQ(damage("a.csv", "a,b"), "a.csv: no rows");
}

TEST_F(TableTest, DamageIsNamedWithItsLine) {
  EXPECT_EQ(damage("a.tsv", "a\tb\n1\t2\n1\t2\t3\n"), "a.tsv:3: 3 field(s) (expected 2: 'a', 'b')");
  EXPECT_EQ(damage("a.csv", "a,b\n\"1\n\n\",2\nx\n"), "a.csv:5: 1 field(s) (expected 2: 'a', 'b')");
  EXPECT_EQ(damage("a.tsv", "a\tb\ta\n"), "a.tsv:1: two columns are called 'a'");
  EXPECT_EQ(damage("a.csv", "\n,b,\n"), "a.csv:2: two columns are called ''");
  EXPECT_EQ(damage("a.tsv", "a\n\xFF\n"), "a.tsv:2: byte 0 (value 255) is not UTF-8");
  EXPECT_EQ(damage("a.jsonl", "{\"a\":1}\n{\"a\":\"\xFF\"}\n"), "a.jsonl:2: byte 6 (value 255) is not UTF-8");
  EXPECT_EQ(damage("a.csv", std::string("a\nbc\0d\n", 7)), "a.csv:2: byte 2 is zero");
  EXPECT_EQ(damage("a.csv", "a,b\n1,\"2\n3\n"), "a.csv:2: a quote that is never closed");
  EXPECT_EQ(damage("a.csv", "a,b\n\"1\n\",\"2\n3\n"), "a.csv:3: a quote that is never closed");
  EXPECT_EQ(damage("a.csv", "a,b\n\"1\" ,2\n"), "a.csv:2: ' ,2' behind a closing quote (expected a comma)");
  EXPECT_EQ(damage("a.jsonl", "{\"a\":1}\n{\"a\":1,\"a\":2}\n"),
            "a.jsonl:2: 'a' stands twice (expected a JSON object)");
  EXPECT_EQ(damage("a.jsonl", "{\"a\":1,\"b\":2}\n{\"a\":1,\"c\":3}\n"),
            "a.jsonl:2: 'b' is missing (the first row has it)");
  EXPECT_EQ(damage("a.jsonl", "{\"a\":1\n"), "a.jsonl:1: not JSON at byte 7 (expected a JSON object)");
  EXPECT_EQ(damage("a.jsonl", "{\"a\":1} {}\n"), "a.jsonl:1: not JSON at byte 9 (expected a JSON object)");
  EXPECT_EQ(damage("a.jsonl", "[1]\n"), "a.jsonl:1: is an array (expected a JSON object)");
  EXPECT_EQ(damage("a.jsonl", "3\n"), "a.jsonl:1: is '3' (expected a JSON object)");
  EXPECT_EQ(damage("a.jsonl", "null\n"), "a.jsonl:1: is null (expected a JSON object)");
  EXPECT_EQ(damage("a.jsonl", "{}\n"), "a.jsonl:1: an object without keys (expected a row's columns)");
}

TEST_F(TableTest, GivesBackWhateverWasWritten) {
  const Strings parts{"a", "ä ", "\"", "\"\"", ",", "\t", "\n", "{}", "'", "\\", ""};
  RandomStream random(1, "test");
  Rows written{{"a", "b,\"c\"", "\n"}};
  std::string csv, json_lines;
  for (int row = 0; row < 500; ++row) {
    if (row > 0) written.emplace_back();
    while (written.back().size() < 3) {
      std::string& field = written.back().emplace_back();
      for (uint32_t count = random.below(6); count > 0; --count)
        field += parts[random.below(static_cast<uint32_t>(parts.size()))];
    }
    nlohmann::ordered_json object;
    for (size_t i = 0; i < 3; ++i) {
      const std::string& field = written.back()[i];
      const bool needs_quotes = field.find_first_of(",\"\n") != field.npos || random.below(2) == 0;
      csv += needs_quotes ? quoted(field) : field;
      csv += i < 2 ? "," : random.below(2) == 0 ? "\n" : "\r\n";
      object[written.front()[i]] = field;
    }
    if (row > 0) json_lines += object.dump() + "\n";
  }
  EXPECT_EQ(rows("a.csv", csv), written);
  EXPECT_EQ(rows("a.jsonl", json_lines), written);
}

TEST_F(TableTest, HostileFilesAreReadInLittleTime) {
  const std::string deep(1 << 20, '[');
  EXPECT_EQ(damage("a.jsonl", "{\"a\":" + deep).find("a.jsonl:1: not JSON"), 0u);
  const std::string quotes(kMaxLineBytes / 4, '"');
  EXPECT_EQ(damage("a.csv", "a\n\"" + quotes), "a.csv:2: a quote that is never closed");
  std::string lines = "a\n\"";
  while (std::ssize(lines) < 2 * kMaxLineBytes) lines += std::string(1 << 10, 'x') + "\n";
  EXPECT_EQ(damage("a.csv", lines + "\"\n"), "a.csv:2: a quote that is never closed") << "it is, but too late";
  EXPECT_EQ(damage("a.tsv", "a\n" + std::string(2 * kMaxLineBytes, 'x')), "a.tsv:2: more than 16 MiB in one line");
}

TEST(TableOfSharedFolder, HasTheRowsThatItsReadmeCounts) {
  const auto shared = shared_folder();
  if (!shared) GTEST_SKIP() << "the shared folder is missing (BERTHA_SHARED names it)";
  const std::vector<std::tuple<std::string, size_t, Strings>> files{
      {"sst2/train.tsv", 6920, {"sentence", "label"}},
      {"snli/test.tsv", 9824, {"premise", "hypothesis", "label"}},
      {"snips/train.tsv", 13084, {"intent", "tokens", "slots"}},
      {"pros-cons/train.tsv", 36931, {"sentence", "label"}},
      {"sts-images/test.tsv", 499, {"sentence1", "sentence2", "score"}}};
  for (const auto& [name, rows, columns] : files) {
    const Table table = Table::read(*shared / "data" / name);
    EXPECT_EQ(table.rows(), rows) << name;
    EXPECT_EQ(Strings(table.columns().begin(), table.columns().end()), columns) << name;
  }
}

}  // namespace
}  // namespace bertha
