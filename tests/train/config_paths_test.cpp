#include "train/config_paths.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "autograd/core/error.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

class ConfigPaths : public testing::Test {
 protected:
  ConfigPaths() {
    for (const char* name :
         {"b.txt", "a.txt", "notes.md", "deep/c.txt", "deep/notes.md", "deep/deeper/d.txt", "[x].txt",
          "stored/e.txt.gz", "stored/f.jsonl", "stored/g.jsonl.gz", "stored/h.gz", "stored/i.json"}) {
      fs::create_directories((folder_ / name).parent_path());
      std::ofstream(folder_ / name) << "text\n";
    }
    fs::create_directory(folder_ / "empty");
  }
  ~ConfigPaths() override { fs::remove_all(folder_); }

  std::vector<std::string> expand(std::vector<std::string> patterns) const {
    for (std::string& pattern : patterns) pattern = folder_ / pattern;
    std::vector<std::string> names;
    for (const std::string& path : expand_paths(patterns, "data.text"))
      names.push_back(fs::path(path).lexically_relative(folder_));
    return names;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("bertha-config-paths-" + std::to_string(getpid()));
};

using Names = std::vector<std::string>;

TEST_F(ConfigPaths, PatternsFoldersAndFilesComeOutSortedAndOnce) {
  EXPECT_EQ(expand({"?.txt"}), (Names{"a.txt", "b.txt"}));
  EXPECT_EQ(expand({"b.txt", "*.txt", "./a.txt"}), (Names{"[x].txt", "a.txt", "b.txt"}));
  EXPECT_EQ(expand({"deep"}), (Names{"deep/c.txt", "deep/deeper/d.txt"}));
  EXPECT_EQ(expand({"stored"}), (Names{"stored/e.txt.gz", "stored/f.jsonl", "stored/g.jsonl.gz"}));
  EXPECT_EQ(expand({"notes.md"}), Names{"notes.md"});
  EXPECT_EQ(expand({"[x].txt"}), Names{"[x].txt"}) << "a file that exists is no pattern";
}

TEST_F(ConfigPaths, APatternThatNamesNothingIsRefused) {
  const std::string too_long(5000, 'x');
  for (const char* pattern : {"*.text", "missing.txt", "empty", too_long.c_str()})
    EXPECT_THROW(expand({"a.txt", pattern}), ConfigError);
  try {
    expand_paths(std::vector<std::string>{"no/such*"}, "data.text");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "data.text: 'no/such*' names no file (expected files, patterns, or folders with *.txt, *.jsonl, "
                 "*.txt.gz or *.jsonl.gz)");
  }
}

}  // namespace
}  // namespace bertha
