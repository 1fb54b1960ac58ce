#include "data/piece_trie.h"

#include <algorithm>
#include <deque>

#include "data/vocabulary.h"

namespace bertha {
namespace {

constexpr size_t kByteValues = 256;

unsigned char byte_at(std::string_view token, size_t depth) {
  return static_cast<unsigned char>(token[depth]);
}

}  // namespace

PieceTrie::PieceTrie(std::span<const std::string> tokens) : nodes_(kByteValues) {
  std::vector<Entry> entries;
  entries.reserve(tokens.size());
  for (const std::string& token : tokens) entries.push_back({token, static_cast<int32_t>(entries.size())});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.token < b.token; });

  nodes_[kRoot].parent = kNoParent;
  // Breadth first: the nodes near the root, which every search visits, come to lie together.
  std::deque<Subtree> waiting{{kRoot, 0, entries}};
  for (; !waiting.empty(); waiting.pop_front()) {
    const std::vector<Subtree> children = insert_children(waiting.front());
    waiting.insert(waiting.end(), children.begin(), children.end());
  }
  continuation_root_ = find_node(kContinuationPrefix);
}

std::vector<PieceTrie::Subtree> PieceTrie::insert_children(const Subtree& tree) {
  std::span<const Entry> entries = tree.entries;
  if (!entries.empty() && entries.front().token.size() == tree.depth) {
    nodes_[static_cast<size_t>(tree.node)].id = entries.front().id;
    entries = entries.subspan(1);
  }
  std::vector<Subtree> children;
  while (!entries.empty()) {
    const unsigned char byte = byte_at(entries.front().token, tree.depth);
    const auto other = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return byte_at(entry.token, tree.depth) != byte; });
    const auto shared = static_cast<size_t>(other - entries.begin());
    children.push_back({byte, tree.depth + 1, entries.first(shared)});
    entries = entries.subspan(shared);
  }
  if (children.empty()) return children;

  const int32_t room = find_room(children);
  nodes_[static_cast<size_t>(tree.node)].children = room;
  for (Subtree& child : children) {
    child.node += room;
    nodes_[static_cast<size_t>(child.node)].parent = tree.node;
  }
  return children;
}

int32_t PieceTrie::find_room(std::span<const Subtree> children) {
  const auto is_free = [&](size_t node) { return node >= nodes_.size() || nodes_[node].parent == kNoNode; };
  const auto first_byte = static_cast<size_t>(children.front().node);
  size_t taken = 0;
  for (size_t first = std::max(search_from_, first_byte);; ++first) {
    const size_t room = first - first_byte;
    if (!is_free(first)) {
      ++taken;
    } else if (std::all_of(children.begin(), children.end(),
                           [&](const Subtree& child) { return is_free(room + static_cast<size_t>(child.node)); })) {
      // Scattered gaps are not worth looking at again and again.
      if (20 * taken >= 19 * (first - search_from_)) search_from_ = first;
      nodes_.resize(std::max(nodes_.size(), room + kByteValues));
      return static_cast<int32_t>(room);
    }
  }
}

int32_t PieceTrie::find_node(std::string_view text) const {
  int32_t node = kRoot;
  for (const char byte : text) {
    const int32_t child = nodes_[static_cast<size_t>(node)].children + static_cast<unsigned char>(byte);
    if (nodes_[static_cast<size_t>(child)].parent != node) return kNoNode;
    node = child;
  }
  return node;
}

}  // namespace bertha
