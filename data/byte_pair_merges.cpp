#include "data/byte_pair_merges.h"

#include <functional>
#include <queue>
#include <utility>

namespace bertha {
namespace {

uint64_t key_of(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

}  // namespace

bool BytePairMerges::add(int32_t left, int32_t right, int32_t merged) {
  const auto rank = static_cast<int32_t>(merges_.size());
  return merges_.emplace(key_of(left, right), Merge{rank, merged}).second;
}

BytePairMerges::Merge BytePairMerges::find(int32_t left, int32_t right) const {
  const auto found = merges_.find(key_of(left, right));
  return found == merges_.end() ? Merge{} : found->second;
}

void BytePairMerges::apply(std::vector<BytePiece>& pieces) const {
  constexpr size_t kEnd = static_cast<size_t>(-1);
  struct Link {
    size_t before, behind;  // neighbours that are still there
    Merge merge;            // with the one behind
  };
  using Candidate = std::pair<int32_t, size_t>;  // a rank and where; outdated where the link's is another
  std::vector<Link> links(pieces.size());
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto consider = [&](size_t at) {
    Link& link = links[at];
    link.merge = link.behind == kEnd ? Merge{} : find(pieces[at].id, pieces[link.behind].id);
    if (link.merge.rank != kNone) candidates.emplace(link.merge.rank, at);
  };
  for (size_t i = 0; i < pieces.size(); ++i)
    links[i] = {i > 0 ? i - 1 : kEnd, i + 1 < pieces.size() ? i + 1 : kEnd, {}};
  for (size_t i = 0; i < pieces.size(); ++i) consider(i);

  while (!candidates.empty()) {
    const auto [rank, at] = candidates.top();
    candidates.pop();
    Link& link = links[at];
    if (link.merge.rank != rank) continue;
    const size_t merged = link.behind;
    pieces[at] = {link.merge.merged, pieces[at].bytes + pieces[merged].bytes};
    pieces[merged].bytes = 0;
    link.behind = links[merged].behind;
    links[merged].merge = {};
    if (link.behind != kEnd) links[link.behind].before = at;
    consider(at);
    if (link.before != kEnd) consider(link.before);
  }
  std::erase_if(pieces, [](const BytePiece& piece) { return piece.bytes == 0; });
}

}  // namespace bertha
