#include "data/line_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "autograd/core/error.h"
#include "tests/data/shard_fixtures.h"
#include "tests/message_of.h"

namespace bertha {
namespace {

std::vector<std::string> lines_of(const std::string& content) {
  const TemporaryDirectory folder;
  const std::string path = write_file(folder / "a.txt", content);
  LineReader reader(path, std::make_unique<FileStream>(path));
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) {
    lines.emplace_back(line);
    EXPECT_EQ(reader.number(), std::ssize(lines));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineReader, GivesLinesWithoutTheirEnds) {
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("\n"), Lines{""});
  EXPECT_EQ(lines_of("a"), Lines{"a"});
  EXPECT_EQ(lines_of("a\n\nb\r\n"), (Lines{"a", "", "b\r"}));
}

TEST(LineReader, GivesLinesOfAnyLength) {
  Lines expected;
  std::string content;
  for (int i = 0; i < 40; ++i) {
    expected.emplace_back(i * 2000, static_cast<char>('a' + i % 26));
    content += expected.back() + "\n";
  }
  EXPECT_EQ(lines_of(content), expected);
}

TEST(LineReader, ALineIsBounded) {
  const std::string letters(kMaxLineBytes, 'x');
  EXPECT_EQ(lines_of(letters), Lines{letters});
  const std::string message = message_of<DamagedFileError>([&] { lines_of("a\n" + letters + letters); });
  EXPECT_NE(message.find("/a.txt:2: more than 16 MiB in one line"), message.npos) << message;
}

}  // namespace
}  // namespace bertha
