#include "train/scores/span_errors.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace bertha {
namespace {

// No two entities of a sentence share a word, and they are in its order.
std::vector<Entity> without(std::span<const Entity> entities, std::span<const Entity> others) {
  std::vector<Entity> rest;
  for (const Entity& entity : entities) {
    const auto same = std::ranges::lower_bound(others, entity.begin, {}, &Entity::begin);
    if (same == others.end() || *same != entity) rest.push_back(entity);
  }
  return rest;
}

int64_t shared_words(const Entity& a, const Entity& b) {
  return std::min(a.end, b.end) - std::max(a.begin, b.begin);
}

SpanErrorKind kind_of(const Entity& gold, const Entity& predicted) {
  const bool same_words = gold.begin == predicted.begin && gold.end == predicted.end;
  if (same_words) return SpanErrorKind::kType;
  return gold.type == predicted.type ? SpanErrorKind::kBoundary : SpanErrorKind::kTypeAndBoundary;
}

int64_t begin_of(const SpanError& error) {
  return error.kind == SpanErrorKind::kMissed ? error.gold.begin : error.predicted.begin;
}

}  // namespace

std::string_view to_text(SpanErrorKind kind) {
  switch (kind) {
    case SpanErrorKind::kMissed:
      return "missed";
    case SpanErrorKind::kSpurious:
      return "spurious";
    case SpanErrorKind::kType:
      return "wrong type";
    case SpanErrorKind::kBoundary:
      return "wrong boundary";
    case SpanErrorKind::kTypeAndBoundary:
      return "wrong type and boundary";
  }
  return "";
}

std::vector<SpanError> span_errors(std::span<const Entity> gold, std::span<const Entity> predicted) {
  const std::vector<Entity> missed = without(gold, predicted);
  std::vector<bool> answered(missed.size());
  std::vector<SpanError> errors;
  for (const Entity& wrong : without(predicted, gold)) {
    const auto behind = [&](const Entity& entity) { return entity.end > wrong.begin; };
    const auto first = std::ranges::partition_point(missed, std::not_fn(behind));
    std::optional<size_t> nearest;
    for (auto i = static_cast<size_t>(first - missed.begin()); i < missed.size() && missed[i].begin < wrong.end; ++i) {
      const bool nearer = !nearest || shared_words(missed[i], wrong) > shared_words(missed[*nearest], wrong);
      if (!answered[i] && nearer) nearest = i;
    }
    SpanError& error = errors.emplace_back();
    error.predicted = wrong;
    error.kind = nearest ? kind_of(missed[*nearest], wrong) : SpanErrorKind::kSpurious;
    if (!nearest) continue;
    error.gold = missed[*nearest];
    answered[*nearest] = true;
  }
  for (size_t i = 0; i < missed.size(); ++i) {
    if (!answered[i]) errors.emplace_back().gold = missed[i];  // kMissed
  }
  std::ranges::stable_sort(errors, {}, begin_of);
  return errors;
}

}  // namespace bertha
