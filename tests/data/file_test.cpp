#include "data/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "autograd/core/error.h"
#include "tests/data/shard_fixtures.h"
#include "tests/train/checkpoint/file_size_limit.h"
#include "tests/train/checkpoint/names_in.h"

namespace bertha {
namespace {

TEST(InputFile, ReadsAnyRangeAndNoneBeyondItsEnd) {
  const TemporaryDirectory folder;
  const InputFile file(write_file(folder / "file", "0123456789"));
  EXPECT_EQ(file.size(), 10u);
  std::string part(4, ' ');
  file.read(6, std::as_writable_bytes(std::span(part)));
  EXPECT_EQ(part, "6789");
  for (const uint64_t offset : {uint64_t{7}, uint64_t{11}, UINT64_MAX}) {
    EXPECT_THROW(file.read(offset, std::as_writable_bytes(std::span(part))), DamagedFileError);
  }
  std::filesystem::resize_file(folder / "file", 8);
  EXPECT_THROW(file.read(6, std::as_writable_bytes(std::span(part))), DamagedFileError);
}

TEST(InputFile, IsARegularFile) {
  const TemporaryDirectory folder;
  EXPECT_THROW(InputFile(folder / "missing"), ConfigError);
  EXPECT_THROW(InputFile(folder.path()), ConfigError);
  mkfifo((folder / "pipe").c_str(), 0600);
  EXPECT_THROW(InputFile(folder / "pipe"), ConfigError) << "and is not waited for";
}

TEST(PathExists, SaysWhereItCannotBeSeen) {
  const TemporaryDirectory folder;
  EXPECT_TRUE(path_exists(write_file(folder / "file", "")));
  EXPECT_FALSE(path_is_directory(folder / "file"));
  EXPECT_TRUE(path_is_directory(folder.path()));
  EXPECT_FALSE(path_exists(folder / "missing"));
  EXPECT_FALSE(path_exists(folder / "file/below"));
  std::filesystem::create_symlink("around", folder / "around");
  try {
    path_exists(folder / "around");
    ADD_FAILURE() << "a name that leads to itself";
  } catch (const ConfigError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with((folder / "around") + ": cannot be looked at: ")) << error.what();
  }
}

TEST(ReadText, ReadsSmallFilesOnly) {
  const TemporaryDirectory folder;
  write_file(folder / "file", "0123456789");
  EXPECT_EQ(read_text(folder / "file", 10), "0123456789");
  EXPECT_THROW(read_text(folder / "file", 9), DamagedFileError);
}

TEST(NewFile, NeverOverwrites) {
  const TemporaryDirectory folder;
  write_file(folder / "file", "old");
  EXPECT_THROW(NewFile{folder / "file"}, Error);
  EXPECT_EQ(read_file(folder / "file"), "old");
}

TEST(MakeDirectories, MakesAllThatAreMissing) {
  const TemporaryDirectory folder;
  for (int round = 0; round < 2; ++round) make_directories(folder / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  write_file(folder / "file", "");
  EXPECT_THROW(make_directories(folder / "file"), ConfigError);
  EXPECT_THROW(make_directories(folder / "file/below"), ConfigError);
  EXPECT_THROW(make_directories("/proc/new"), Error);
}

TEST(WriteDurably, ReplacesAndIgnoresItsOwnLeftover) {
  const TemporaryDirectory folder;
  write_file(folder / "latest.tmp", "torn and longer");
  write_durably(folder / "latest", "first");
  write_durably(folder / "latest", "second");
  EXPECT_EQ(read_file(folder / "latest"), "second");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"latest"});
}

TEST(WriteDurably, AFullDiskIsAnErrorAndLeavesTheOldState) {
  const TemporaryDirectory folder;
  write_durably(folder / "latest", "old");
  try {
    const FileSizeLimit limit(4000);
    write_durably(folder / "latest", std::string(5000, 'x'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), folder / "latest.tmp" + ": cannot be written: File too large");
  }
  EXPECT_EQ(read_file(folder / "latest"), "old");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"latest"});
  EXPECT_THROW(write_durably("/proc/latest", "content"), Error);
}

}  // namespace
}  // namespace bertha
