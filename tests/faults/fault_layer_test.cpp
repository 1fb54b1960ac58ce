// The layer has to see what it is there to find: each writer below is careless in one way.

#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "data/file.h"
#include "tests/faults/crash_points.h"
#include "tests/train/checkpoint/names_in.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Directory = const std::string&;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

void write_new(const std::string& path, std::string_view content) {
  NewFile file(path);
  file.write(bytes(content));
  file.finish();
}

class FaultLayer : public testing::Test {
 protected:
  static CrashPoints points(const std::function<void(Directory)>& action) {
    return {[](Directory directory) { write_bytes(directory + "/file", "old"); }, action,
            CrashPoints::Exchange::kSupported};
  }

  /// What the file may hold after faults of these kinds at any call and at the end; "" stands for no file, too.
  static std::set<std::string> outcomes(const std::vector<std::string>& kinds,
                                        const std::function<void(Directory)>& action) {
    std::set<std::string> contents;
    const CrashPoints all = points([&](Directory directory) {
      action(directory);
      mkdir((directory + "/end").c_str(), 0777);
    });
    all.at_every_call(kinds, 1,
                      [&](const Fault&, const Ending&) { contents.insert(bytes_of(all.directory() + "/file")); });
    return contents;
  }

  using Contents = std::set<std::string>;
};

TEST_F(FaultLayer, AWriterThatIsCarefulLosesNothing) {
  const auto careful = [](Directory directory) { write_durably(directory + "/file", "the new"); };
  EXPECT_EQ(outcomes(kEnds, careful), (Contents{"old", "the new"}));
  EXPECT_EQ(outcomes(kErrors, careful), (Contents{"old", "the new"}));
}

TEST_F(FaultLayer, SeesAFileWrittenInPlace) {
  const auto in_place = [](Directory directory) {
    fs::remove(directory + "/file");
    write_new(directory + "/file", "the new");
  };
  EXPECT_EQ(outcomes({"kill"}, in_place), (Contents{"", "old", "the new"}));
  EXPECT_EQ(outcomes({"kill-half"}, in_place), (Contents{"the "}));
  EXPECT_TRUE(outcomes({"enospc"}, in_place).contains(""));
}

TEST_F(FaultLayer, SeesContentThatWasNotSynced) {
  const auto unsynced = [](Directory directory) {
    {
      NewFile file(directory + "/new");
      file.write(bytes("the new"));
    }
    rename_into_place(directory + "/new", directory + "/file");
    sync_directory(directory);
  };
  EXPECT_EQ(outcomes({"kill"}, unsynced), (Contents{"old", "the new"})) << "the page cache outlives the process";
  EXPECT_EQ(outcomes({"lose"}, unsynced), (Contents{"", "old"}));
  EXPECT_EQ(outcomes({"lose-bytes"}, unsynced), (Contents{"", "old"}));
  EXPECT_TRUE(outcomes({"lose-some"}, unsynced).contains(std::string(7, '\0')));
}

TEST_F(FaultLayer, SeesARenameThatWasNotSynced) {
  const auto unsynced = [](Directory directory) {
    write_new(directory + "/new", "the new");
    rename_into_place(directory + "/new", directory + "/file");
  };
  EXPECT_EQ(outcomes({"lose"}, unsynced), Contents{"old"}) << "durable only once the directory is";
  EXPECT_EQ(outcomes({"lose-bytes"}, unsynced), (Contents{"old", "the new"}));
}

TEST_F(FaultLayer, SeesADirectoryWhoseNameWasNotSynced) {
  const auto unsynced = [](Directory directory) {
    fs::create_directory(directory + "/deep");
    write_durably(directory + "/deep/file", "the new");
    mkdir((directory + "/end").c_str(), 0777);
  };
  const CrashPoints all = points(unsynced);
  EXPECT_TRUE(all.run({"lose", std::ssize(all.calls())}).killed);
  EXPECT_EQ(names_in(all.directory()), std::set<std::string>{"file"});
}

TEST_F(FaultLayer, SeesFilesGoneUnderANameThatComesBack) {
  const auto hasty = [](Directory directory) {
    fs::rename(directory + "/whole", directory + "/going");
    fs::remove_all(directory + "/going");
  };
  const CrashPoints all(
      [](Directory directory) {
        fs::create_directory(directory + "/whole");
        write_bytes(directory + "/whole/a", "a");
        write_bytes(directory + "/whole/b", "b");
      },
      hasty, CrashPoints::Exchange::kSupported);
  bool seen = false;
  all.at_every_call({"lose-some"}, 1, [&](const Fault&, const Ending&) {
    seen = seen || (fs::exists(all.directory() + "/whole") && names_in(all.directory() + "/whole").size() < 2);
  });
  EXPECT_TRUE(seen);
}

// Nothing here writes through HDF5's own files; the layer would see it.
TEST_F(FaultLayer, CountsWhatHdf5Writes) {
  const CrashPoints all = points([](Directory directory) {
    const hid_t file = H5Fcreate((directory + "/file.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
  });
  const auto writes = std::ranges::count_if(all.calls(), [](const CountedCall& call) { return call.name == "write"; });
  EXPECT_GT(writes, 0);
  EXPECT_TRUE(std::ranges::any_of(all.calls(), [](const CountedCall& call) { return call.name == "open"; }));
}

}  // namespace
}  // namespace bertha
