#include "train/comm/rank_record.h"

#include <string_view>

namespace bertha {
namespace {

RankRecord g_alone;
std::atomic<RankRecord*> g_own = &g_alone;

constexpr std::array<std::string_view, 7> kPhases = {"load",   "forward",    "backward",  "communication",
                                                     "update", "evaluation", "checkpoint"};

}  // namespace

RankRecord& own_record() {
  return *g_own.load(std::memory_order_acquire);
}

void use_record(RankRecord* record) {
  const RankRecord& before = own_record();
  RankRecord& after = record ? *record : g_alone;
  after.step = before.step.load();
  after.phase = before.phase.load();
  g_own.store(&after, std::memory_order_release);
}

std::string place_text(const RankRecord& record) {
  return std::string("at step ")
      .append(std::to_string(record.step.load()))
      .append(" in ")
      .append(kPhases.at(static_cast<size_t>(record.phase.load())));
}

}  // namespace bertha
