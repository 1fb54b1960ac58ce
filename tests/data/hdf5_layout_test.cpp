#include "data/hdf5_layout.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include "autograd/core/error.h"
#include "tests/data/premasked_file.h"
#include "tests/data/shard_fixtures.h"
#include "tests/message_of.h"

namespace bertha {
namespace {

class Hdf5Layout : public testing::Test {
 protected:
  /// What is said of a file with these bytes behind its name.
  std::string complaint(const std::string& bytes) const {
    const std::string path = write_file(folder_ / "file", bytes);
    const std::string message = message_of<DamagedFileError>([&] { check_hdf5_layout(InputFile(path)); });
    return message.starts_with(path) ? message.substr(path.size()) : message;
  }
  std::string sound() const {
    write_premasked(folder_ / "sound", two_samples());
    return read_file(folder_ / "sound");
  }
  /// In the layout that the library's newest versions prefer.
  std::string newest() const {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Fclose(H5Fcreate((folder_ / "newest").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access));
    H5Pclose(access);
    return read_file(folder_ / "newest");
  }

  TemporaryDirectory folder_;
};

TEST_F(Hdf5Layout, PassesWhatTheLibraryWrites) {
  EXPECT_EQ(complaint(sound()), "nothing was thrown");
  EXPECT_GE(newest()[8], 2);
  EXPECT_EQ(complaint(newest()), "nothing was thrown");
}

TEST_F(Hdf5Layout, RefusesWhatDoesNotFitTheFile) {
  for (const std::string& bytes : {sound(), newest()}) {
    const bool old = bytes[8] == 0;
    const auto changed = [&](size_t old_place, size_t new_place, char value) {
      std::string other = bytes;
      other[old ? old_place : new_place] = value;
      return complaint(other);
    };
    EXPECT_EQ(changed(0, 0, 'x'), ": not an HDF5 file (it begins with something else)");
    EXPECT_EQ(changed(8, 8, 4), ": HDF5 superblock of version 4 (expected at most 3)");
    EXPECT_EQ(changed(13, 9, 4), ": HDF5 offsets of 4 and lengths of 8 bytes (expected 8)");
    EXPECT_EQ(changed(24, 12, 1), ": HDF5 base address 1 (expected 0)");
    EXPECT_NE(changed(45, 33, 1).find("is the file cut off?"), std::string::npos);
    EXPECT_NE(changed(69, 41, 1).find(": its root group begins at byte"), std::string::npos);
    if (old) {
      EXPECT_EQ(changed(48, 0, 0), ": names a driver that reads other files");
    }
    EXPECT_NE(complaint(bytes.substr(0, bytes.size() - 1)).find("is the file cut off?"), std::string::npos);
  }
  EXPECT_EQ(complaint(""), ": not an HDF5 file (it begins with something else)");
}

}  // namespace
}  // namespace bertha
