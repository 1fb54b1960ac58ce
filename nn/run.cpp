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

RowSet Run::select_rows(std::span<const int32_t> rows) {
  selected_rows_.assign(rows.begin(), rows.end());
  selected_keys_.clear();
  if (training) {
    for (const int32_t row : rows) selected_keys_.push_back(row_keys[static_cast<size_t>(row)]);
  }
  return {selected_rows_, selected_keys_};
}

Run Run::on_tape(Tape* other) const {
  Run run = *this;
  run.tape = other;
  run.used_.clear();
  return run;
}

Dropout Run::dropout(const DropoutSite& site, std::span<const uint64_t> keys) const {
  if (!training || site.threshold() == 0) return {};
  return {.key = mix(seed, site.id()), .step = step, .threshold = site.threshold(), .row_keys = keys.data()};
}

}  // namespace bertha
