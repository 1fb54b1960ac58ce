#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "train/scores/entity_scores.h"

namespace bertha {

/// How a span differs from the gold standard.
enum class SpanErrorKind { kMissed, kSpurious, kType, kBoundary, kTypeAndBoundary };

/// "missed", "spurious", "wrong type", "wrong boundary", "wrong type and boundary".
std::string_view to_text(SpanErrorKind kind);

/// Entities of one sentence that are not right; an empty one where there is none on that side.
struct SpanError {
  SpanErrorKind kind = SpanErrorKind::kMissed;
  Entity gold, predicted;
};

/// What is wrong with a sentence's predicted entities, by their order in it. A wrong entity answers the wrong gold one
/// with which it shares the most words; each answers at most one.
std::vector<SpanError> span_errors(std::span<const Entity> gold, std::span<const Entity> predicted);

}  // namespace bertha
