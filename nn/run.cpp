#include "nn/run.h"

#include <cmath>

#include "autograd/core/random.h"

namespace bertha {

DropoutSite::DropoutSite(const Scope& scope, double probability)
    : id_(hash_name(scope.path())), threshold_(static_cast<uint32_t>(std::lround(probability * 65536))) {
  check(probability >= 0 && probability < 1, scope.path(), ": dropout probability ", probability, " (in [0, 1))");
}

Var Run::use(const Parameter& parameter) {
  if (!tape) return Var(parameter.value);
  if (used_.size() <= parameter.index) used_.resize(parameter.index + 1);
  Var& var = used_[parameter.index];
  if (!var.slot()) {
    std::function<void()> on_final;
    if (on_gradient) on_final = [report = on_gradient, &parameter] { report(parameter); };
    var = tape->parameter(parameter.value, parameter.gradient, gradient, std::move(on_final));
  }
  return var;
}

std::span<const int32_t> Run::position_ids(int64_t first) {
  position_ids_.clear();
  for (size_t sequence = 1; sequence < cu_seqlens.size(); ++sequence) {
    const int32_t length = cu_seqlens[sequence] - cu_seqlens[sequence - 1];
    for (int32_t place = 0; place < length; ++place) position_ids_.push_back(static_cast<int32_t>(first) + place);
  }
  return position_ids_;
}

RowSet Run::select_rows(std::span<const int32_t> rows) {
  selected_rows_.assign(rows.begin(), rows.end());
  return {selected_rows_, keys_of(rows)};
}

std::span<const uint64_t> Run::keys_of(std::span<const int32_t> rows) {
  if (!training) return {};
  std::vector<uint64_t>& keys = keys_.emplace_back();
  for (const int32_t row : rows) keys.push_back(row_keys[static_cast<size_t>(row)]);
  return keys;
}

Run Run::on_tape(Tape* other) const {
  Run run = *this;
  run.tape = other;
  run.used_.clear();
  run.keys_.clear();
  return run;
}

Dropout Run::dropout(const DropoutSite& site, std::span<const uint64_t> keys) const {
  if (!training || site.threshold() == 0) return {};
  return {.key = mix(seed, site.id()), .step = step, .threshold = site.threshold(), .row_keys = keys.data()};
}

}  // namespace bertha
