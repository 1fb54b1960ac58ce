#include "tests/faults/layer/durable_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace bertha {
namespace {

namespace fs = std::filesystem;

struct stat status_of(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) abort();
  return status;
}

std::string content_of(int descriptor) {
  std::string content;
  char block[65536];
  for (ssize_t count = 0; (count = pread(descriptor, block, sizeof block, std::ssize(content))) > 0;) {
    content.append(block, static_cast<size_t>(count));
  }
  return content;
}

// Source: the finaliser of SplitMix64.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

DurableTree::DurableTree(std::string root) : root_(std::move(root)) {
  add(root_, status_of(root_).st_ino, Origin::kDurable);
}

void DurableTree::add(const std::string& path, ino_t inode, Origin origin) {
  if (nodes_.contains(inode)) return;
  const bool is_directory = S_ISDIR(status_of(path).st_mode);
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  Node& node = nodes_[inode] = {nodes_.size(), descriptor, is_directory, "", {{}}};
  if (is_directory) {
    const Names names = names_of(path, origin);
    if (origin == Origin::kDurable) node.names = {names};
  } else if (origin == Origin::kDurable) {
    node.content = content_of(descriptor);
  }
}

DurableTree::Names DurableTree::names_of(const std::string& directory, Origin origin) {
  Names names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const ino_t inode = status_of(entry.path()).st_ino;
    names[entry.path().filename()] = inode;
    add(entry.path(), inode, origin);
  }
  return names;
}

void DurableTree::names_changed(const std::string& path) {
  const std::string directory = fs::path(path).parent_path();
  struct stat status {};
  if (stat(directory.c_str(), &status) != 0 || !nodes_.contains(status.st_ino)) return;
  Names names = names_of(directory, Origin::kNew);
  std::vector<Names>& history = nodes_.at(status.st_ino).names;
  if (names != history.back()) history.push_back(std::move(names));
}

void DurableTree::synced(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !nodes_.contains(status.st_ino)) return;
  Node& node = nodes_.at(status.st_ino);
  if (node.is_directory) {
    node.names = {node.names.back()};
  } else {
    node.content = content_of(node.descriptor);
  }
}

const DurableTree::Names& DurableTree::surviving_names(ino_t inode, Rest rest, uint64_t lot) const {
  const std::vector<Names>& names = nodes_.at(inode).names;
  switch (rest) {
    case Rest::kNothing:
      return names.front();
    case Rest::kNames:
      return names.back();
    case Rest::kByLot:
      break;
  }
  return names[mix(nodes_.at(inode).number + mix(lot)) % names.size()];
}

std::string DurableTree::surviving_content(ino_t inode, Rest rest, uint64_t lot) const {
  const Node& node = nodes_.at(inode);
  if (rest != Rest::kByLot) return node.content;
  std::string newest = content_of(node.descriptor);
  switch ((node.number + lot) % 4) {
    case 0:
      return node.content;
    case 1:
      return newest;
    case 2:  // the size, but not the bytes
      std::fill(newest.begin() + std::min(std::ssize(newest), std::ssize(node.content)), newest.end(), '\0');
      return newest;
    default:
      return newest.substr(0, std::max(node.content.size(), newest.size() / 2));
  }
}

void DurableTree::rebuild(const std::string& path, ino_t inode, Rest rest, uint64_t lot) const {
  for (const auto& [name, child] : surviving_names(inode, rest, lot)) {
    const std::string at = path + "/" + name;
    if (nodes_.at(child).is_directory) {
      mkdir(at.c_str(), 0777);
      rebuild(at, child, rest, lot);
    } else {
      std::ofstream(at, std::ios::binary) << surviving_content(child, rest, lot);
    }
  }
}

void DurableTree::roll_back(Rest rest, uint64_t lot) {
  for (const fs::directory_entry& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
  rebuild(root_, status_of(root_).st_ino, rest, lot);
}

}  // namespace bertha
