#include "data/repeated_text.h"

#include "data/checksum.h"

namespace bertha {
namespace {

constexpr size_t kMostPassages = size_t{1} << 20;

}  // namespace

void RepeatedText::add(std::span<const int32_t> ids) {
  for (size_t begin = 0; begin + kPassage <= ids.size(); ++begin) {
    const uint64_t checksum = checksum_of(std::as_bytes(ids.subspan(begin, kPassage)));
    if ((checksum & mask_) != 0) continue;
    ++passages_;
    ++counts_[checksum];
    if (counts_.size() > kMostPassages) look_at_fewer();
  }
}

void RepeatedText::look_at_fewer() {
  mask_ = 2 * mask_ + 1;
  std::erase_if(counts_, [&](const auto& one) { return (one.first & mask_) != 0; });
  passages_ = 0;
  for (const auto& [checksum, count] : counts_) passages_ += count;
}

double RepeatedText::share() const {
  if (passages_ == 0) return 0;
  return 1 - static_cast<double>(counts_.size()) / static_cast<double>(passages_);
}

}  // namespace bertha
