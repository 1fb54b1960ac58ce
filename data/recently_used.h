#pragma once

#include <algorithm>
#include <cstddef>
#include <list>

namespace bertha {

/// Keeps the few things that were used last.
template <class T>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(size_t most) : most_(most) {}

  /// The one that `matches`; where there is none, what make() returns, and the one that was used longest ago goes.
  /// Valid until the next call.
  template <class Matches, class Make>
  T& get(Matches&& matches, Make&& make) {
    const auto found = std::ranges::find_if(list_, matches);
    if (found != list_.end()) {
      list_.splice(list_.begin(), list_, found);
    } else {
      list_.push_front(make());
      if (list_.size() > most_) list_.pop_back();
    }
    return list_.front();
  }

 private:
  size_t most_;
  std::list<T> list_;  // the most recently used first
};

}  // namespace bertha
