#include "data/text_file.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"
#include "tests/data/gzip.h"
#include "tests/data/read_all.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

TEST(TextFile, TheEndingSaysHowItIsStored) {
  const TemporaryDirectory folder;
  const std::string lines = "{\"text\": \"a\\nb\"}\n";
  const std::vector<std::pair<std::string, std::string>> expected{
      {write_file(folder / "plain", lines), lines},
      {write_file(folder / "jsonl", lines), lines},
      {write_gzip(folder / "text.gz", lines), lines},
      {write_gzip(folder / "text.txt.gz", lines), lines},
      {write_file(folder / "text.jsonl", lines), "a\nb\n\n"},
      {write_gzip(folder / "text.jsonl.gz", lines), "a\nb\n\n"}};
  for (const auto& [path, text] : expected) {
    EXPECT_EQ(read_all(*open_text(path), 7), text) << path;
    EXPECT_EQ(text_bytes(path), std::ssize(text)) << path;
    EXPECT_EQ(holds_json_lines(path), path.find(".jsonl") != path.npos);
  }
}

TEST(TextFile, OfManyBytesIsCountedWhole) {
  const TemporaryDirectory folder;
  for (const int64_t bytes : {int64_t{256} << 10, int64_t{1} << 20, int64_t{999'999}}) {
    EXPECT_EQ(text_bytes(write_gzip(folder / "text.gz", std::string(bytes, 'x'))), bytes);
  }
}

TEST(TextFile, WhatCannotBeReadIsNamed) {
  const TemporaryDirectory folder;
  for (const std::string name : {"missing", "missing.gz", "missing.jsonl", "."}) {
    EXPECT_THROW(open_text(folder / name), ConfigError) << name;
    EXPECT_THROW(text_bytes(folder / name), ConfigError) << name;
  }
  write_file(folder / "bad.jsonl.gz", gzip("{\"text\": 3}\n"));
  EXPECT_THROW(text_bytes(folder / "bad.jsonl.gz"), DamagedFileError);
}

}  // namespace
}  // namespace bertha
