#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bertha {

/// What of a directory tree is sure to be there after the machine fails, as POSIX promises it and no more: a file's
/// content as of its last fsync, a directory's names as of its own last fsync. All that is there when it is made counts
/// as durable. Calls of this process alone are followed, as long as it is told of each.
class DurableTree {
 public:
  explicit DurableTree(std::string root);

  /// A name in the directory of `path` has come, gone or changed what it stands for.
  void names_changed(const std::string& path);
  void synced(int descriptor);

  /// What else than that may be there, for all that POSIX says.
  enum class Rest {
    kNothing,  // all that was not synced is lost
    kNames,    // names are there, content is not
    kByLot,    // file by file and directory by directory, `lot` decides what of it is there
  };
  /// Leaves at the root what the machine's failing now may leave.
  void roll_back(Rest rest, uint64_t lot);

 private:
  using Names = std::map<std::string, ino_t>;
  struct Node {
    uint64_t number;  // in the order in which they were met
    int descriptor;   // keeps the inode, and so its number, from being used again
    bool is_directory;
    std::string content;       // of a file, as synced
    std::vector<Names> names;  // of a directory: as synced, and after each change since
  };
  enum class Origin { kDurable, kNew };

  Names names_of(const std::string& directory, Origin origin);
  void add(const std::string& path, ino_t inode, Origin origin);
  const Names& surviving_names(ino_t inode, Rest rest, uint64_t lot) const;
  std::string surviving_content(ino_t inode, Rest rest, uint64_t lot) const;
  void rebuild(const std::string& path, ino_t inode, Rest rest, uint64_t lot) const;

  std::string root_;
  std::map<ino_t, Node> nodes_;
};

}  // namespace bertha
