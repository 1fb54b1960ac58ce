#include "train/checkpoint/atomic_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "autograd/core/error.h"
#include "data/file.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/file_size_limit.h"
#include "tests/train/checkpoint/names_in.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

void publish(const std::string& target, const std::string& content) {
  AtomicDirectory directory(target);
  directory.write_file("file", [&](OutputFile& out) { out.write(content); });
  directory.publish();
}

TEST(AtomicDirectory, AppearsWholeWithItsManifest) {
  const TemporaryDirectory parent;
  const std::string target = parent / "model";
  {
    AtomicDirectory directory(target);
    directory.write_file("file", [](OutputFile& out) { out.write("content"); });
    EXPECT_FALSE(fs::exists(target));
    directory.publish();
  }
  EXPECT_EQ(names_in(parent.path()), std::set<std::string>{"model"});
  EXPECT_EQ(names_in(target), (std::set<std::string>{"MANIFEST.json", "file"}));
  EXPECT_EQ(bytes_of(target + "/file"), "content");
  EXPECT_TRUE(find_damage(target).empty());
}

TEST(AtomicDirectory, ReplacesWhatStoodThere) {
  const TemporaryDirectory parent;
  publish(parent / "model", "old");
  publish(parent / "model/", "new");
  EXPECT_EQ(bytes_of(parent / "model/file"), "new");
  EXPECT_EQ(names_in(parent.path()), std::set<std::string>{"model"});
}

TEST(AtomicDirectory, GivenUpLeavesWhatStoodThere) {
  const TemporaryDirectory parent;
  publish(parent / "model", "old");
  {
    AtomicDirectory directory(parent / "model");
    directory.write_file("file", [](OutputFile& out) { out.write("new"); });
  }
  EXPECT_EQ(bytes_of(parent / "model/file"), "old");
  EXPECT_EQ(names_in(parent.path()), std::set<std::string>{"model"});
}

TEST(AtomicDirectory, WhatDoesNotReadBackReplacesNothing) {
  const TemporaryDirectory parent;
  publish(parent / "model", "old");
  {
    AtomicDirectory directory(parent / "model");
    directory.write_file("file", [](OutputFile& out) { out.write("new"); });
    write_bytes(parent / ("model.tmp-bertha-" + std::to_string(getpid()) + "/file"), "nee");
    EXPECT_THROW(directory.publish(), DamagedFileError);
  }
  EXPECT_EQ(bytes_of(parent / "model/file"), "old");
  EXPECT_EQ(names_in(parent.path()), std::set<std::string>{"model"});
}

TEST(AtomicDirectory, FilesAreReadableAsTheUsersMaskAllows) {
  const TemporaryDirectory parent;
  const mode_t before = umask(022);
  publish(parent / "model", "content");
  umask(before);
  EXPECT_EQ(fs::status(parent / "model/file").permissions(), fs::perms(0644));
  EXPECT_EQ(fs::status(parent / "model").permissions(), fs::perms(0755));
}

TEST(AtomicDirectory, AFullDiskIsAnErrorThatNamesTheFileAndLeavesTheOldState) {
  const TemporaryDirectory parent;
  publish(parent / "model", "old");
  write_durably(parent / "latest", "old");
  const std::string large(5000, 'x');
  const auto expect_error = [](const std::string& file, auto&& write) {
    try {
      write();
      ADD_FAILURE() << "wrote beyond the limit";
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find(file), std::string_view::npos) << error.what();
      EXPECT_NE(std::string_view(error.what()).find("File too large"), std::string_view::npos) << error.what();
    }
  };
  {
    const FileSizeLimit limit(4000);
    expect_error("/file", [&] { publish(parent / "model", large); });
    expect_error("latest", [&] { write_durably(parent / "latest", large); });
  }
  {
    const FileSizeLimit limit(100);  // the file fits, its manifest does not
    expect_error("MANIFEST.json", [&] { publish(parent / "model", "new"); });
  }
  EXPECT_EQ(bytes_of(parent / "model/file"), "old");
  EXPECT_EQ(bytes_of(parent / "latest"), "old");
  EXPECT_EQ(names_in(parent.path()), (std::set<std::string>{"latest", "model"}));
}

TEST(AtomicDirectory, RefusesAPlaceThatCannotBeWritten) {
  EXPECT_THROW(publish("/proc/model", "content"), Error);
}

TEST(RecoverDirectory, RemovesLeftoversAndNothingElse) {
  const TemporaryDirectory parent;
  fs::create_directories(parent / "step-00000200.tmp-bertha-77/deeper");
  write_bytes(parent / "latest.tmp-bertha-1", "torn");
  for (const std::string mine : {"notes.tmp-", "notes.tmp-bertha-1a", "notes.tmp-7", "model.old-20240501", "tmp-1",
                                 "notes.tmp", "step-00000100"}) {
    write_bytes(parent / mine, "mine");
  }
  recover_directory(parent.path());
  EXPECT_EQ(names_in(parent.path()),
            (std::set<std::string>{"notes.tmp", "notes.tmp-", "notes.tmp-bertha-1a", "notes.tmp-7",
                                   "model.old-20240501", "step-00000100", "tmp-1"}));
}

TEST(RecoverDirectory, BringsBackWhatHasNoSuccessor) {
  const TemporaryDirectory parent;
  publish(parent / "model.old-bertha-77", "old");
  publish(parent / "model.tmp-bertha-77", "new");
  publish(parent / "other.old-bertha-77", "old");
  publish(parent / "other", "new");
  recover_directory(parent.path());
  EXPECT_EQ(names_in(parent.path()), (std::set<std::string>{"model", "other"}));
  EXPECT_EQ(bytes_of(parent / "model/file"), "old");
  EXPECT_EQ(bytes_of(parent / "other/file"), "new");
}

}  // namespace
}  // namespace bertha
