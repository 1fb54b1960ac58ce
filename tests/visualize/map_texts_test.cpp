#include "visualize/map_texts.h"

#include <gtest/gtest.h>

#include <fstream>

#include "autograd/core/error.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

class MapTextsTest : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }

  TemporaryDirectory folder_;
  const std::vector<std::string> no_columns_;
};

TEST_F(MapTextsTest, LinesThatAreNotBlankAreTexts) {
  const MapTexts read = read_map_texts(file("a.txt", "one\n\n  \ntwo\tthree\n"), std::nullopt, no_columns_);
  EXPECT_EQ(read.texts, (std::vector<std::string>{"one", "two\tthree"}));
  EXPECT_EQ(read.lines, (std::vector<int64_t>{1, 4}));
}

TEST_F(MapTextsTest, TablesHaveColumns) {
  const std::string csv = file("a.csv", "text,label,other\n\"a, b\",x,1\nc,y,2\n");
  const std::vector<std::string> columns = {"label"};
  const MapTexts read = read_map_texts(csv, std::nullopt, columns);
  EXPECT_EQ(read.texts, (std::vector<std::string>{"a, b", "c"}));
  EXPECT_EQ(read.lines, (std::vector<int64_t>{2, 3}));
  ASSERT_EQ(read.columns.size(), 1u);
  EXPECT_EQ(read.columns[0].texts, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(read_map_texts(csv, "other", no_columns_).texts, (std::vector<std::string>{"1", "2"}));
}

TEST_F(MapTextsTest, AnUnknownColumnNamesThoseThereAre) {
  const std::string tsv = file("a.tsv", "text\tlabel\nc\ty\n");
  EXPECT_EQ(message_of<ConfigError>([&] { read_map_texts(tsv, "txt", no_columns_); }),
            tsv + ": no column 'txt' (there are 'text', 'label'; did you mean 'text'?)");
}

TEST_F(MapTextsTest, OnlyTablesHaveColumns) {
  const std::string plain = file("a.txt", "one\n");
  EXPECT_EQ(message_of<ConfigError>([&] { read_map_texts(plain, "text", no_columns_); }),
            plain + ": has no columns (a table's name ends in .tsv, .csv or .jsonl, with or without .gz)");
}

TEST_F(MapTextsTest, AFileWithoutTextIsRefused) {
  const std::string plain = file("a.txt", "\n \n");
  EXPECT_EQ(message_of<DamagedFileError>([&] { read_map_texts(plain, std::nullopt, no_columns_); }),
            plain + ": holds no text (expected a text a line)");
}

TEST(ColumnOfTexts, ManyDifferentNumbersAreNumbers) {
  const std::vector<std::string> many = {"1", "2.5", "-3", "1e3", "5", "6", "7", "8", "9"};
  EXPECT_EQ(column_of_texts("c", many).numbers, (std::vector<double>{1, 2.5, -3, 1000, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(column_of_texts("c", many).texts.empty());
}

TEST(ColumnOfTexts, FewNumbersAreNames) {
  const std::vector<std::string> stars = {"1", "2", "1", "5"};
  EXPECT_EQ(column_of_texts("c", stars).texts, stars);
  EXPECT_TRUE(column_of_texts("c", stars).numbers.empty());
}

TEST(ColumnOfTexts, WhatIsNotAFiniteNumberMakesAllOfThemTexts) {
  for (const char* odd : {"x", "", "nan", "inf", "1 ", "1e999"}) {
    const std::vector<std::string> texts = {"1", "2", "3", "4", "5", "6", "7", "8", "9", odd};
    EXPECT_EQ(column_of_texts("c", texts).texts, texts) << odd;
  }
}

}  // namespace
}  // namespace bertha
