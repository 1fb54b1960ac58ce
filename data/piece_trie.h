#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// All tokens of a vocabulary by their bytes, for longest-match-first search: a double-array trie, one array read a
/// byte. A search reads no further than the longest token that its text begins with, and words are short (see
/// kMaxWordCodePoints), so tokenising stays linear in the text; the failure links of Song et al. 2021
/// (arXiv:2012.15524) would spare only what words made of nearly matching pieces read again. Source: Aoe 1989, "An
/// Efficient Digital Search Algorithm by Using a Double-Array Structure", IEEE TSE 15(9).
class PieceTrie {
 public:
  /// The longest token found; `length` (bytes) is 0 where there is none.
  struct Match {
    int32_t id = -1;
    size_t length = 0;
  };

  /// A token's id is its index; tokens are distinct and not empty.
  explicit PieceTrie(std::span<const std::string> tokens);

  /// The longest token that `text` begins with.
  Match longest_token(std::string_view text) const { return longest(kRoot, text); }
  /// The longest of the tokens starting with `##` whose rest `text` begins with.
  Match longest_continuation(std::string_view text) const { return longest(continuation_root_, text); }

 private:
  static constexpr int32_t kRoot = 0, kNoNode = -1, kNoParent = -2;

  struct Node {
    int32_t children = 0;  // where its child for byte b is: at children + b
    int32_t parent = kNoNode;
    int32_t id = -1;  // of the token that ends here
  };
  struct Entry {
    std::string_view token;
    int32_t id;
  };
  struct Subtree {  // a node and the tokens that pass it, sorted
    int32_t node;
    size_t depth;
    std::span<const Entry> entries;
  };

  Match longest(int32_t node, std::string_view text) const {
    Match best;
    if (node == kNoNode) return best;
    for (size_t i = 0; i < text.size(); ++i) {
      const int32_t child = nodes_[static_cast<size_t>(node)].children + static_cast<unsigned char>(text[i]);
      if (nodes_[static_cast<size_t>(child)].parent != node) break;
      node = child;
      const int32_t id = nodes_[static_cast<size_t>(node)].id;
      if (id >= 0) best = {id, i + 1};
    }
    return best;
  }

  std::vector<Subtree> insert_children(const Subtree& tree);
  int32_t find_room(std::span<const Subtree> children);
  int32_t find_node(std::string_view text) const;

  std::vector<Node> nodes_;
  size_t search_from_ = 1;  // where gaps may be
  int32_t continuation_root_ = kNoNode;
};

}  // namespace bertha
