#include "train/phase.h"

#include "train/comm/rank_record.h"

namespace bertha {

void enter(Phase phase) {
  RankRecord& own = own_record();
  own.phase.store(phase, std::memory_order_relaxed);
  own.marks.fetch_add(1, std::memory_order_relaxed);
}

void enter(Phase phase, int64_t step) {
  own_record().step.store(step, std::memory_order_relaxed);
  enter(phase);
}

}  // namespace bertha
