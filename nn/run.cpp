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
    if (on_gradient) on_final = [this, &parameter] { on_gradient(parameter); };
    var = tape->parameter(parameter.value, parameter.gradient, gradient, std::move(on_final));
  }
  return var;
}

Dropout Run::dropout(const DropoutSite& site) const {
  if (!training || site.threshold() == 0) return {};
  return {.key = mix(seed, site.id()), .step = step, .threshold = site.threshold(), .row_keys = row_keys.data()};
}

}  // namespace bertha
