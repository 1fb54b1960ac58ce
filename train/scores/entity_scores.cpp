#include "train/scores/entity_scores.h"

#include <algorithm>
#include <string_view>

#include "autograd/core/error.h"

namespace bertha {
namespace {

struct Tag {
  char prefix = 'O';
  std::string_view type;
};

Tag parse(std::string_view tag) {
  constexpr std::string_view kPrefixes = "BIES";
  if (tag.empty() || tag == "O") return {};
  const bool has_prefix = kPrefixes.find(tag[0]) != kPrefixes.npos && (tag.size() == 1 || tag[1] == '-');
  if (!has_prefix) return {'I', tag};
  return {tag[0], tag.size() > 2 ? tag.substr(2) : "_"};
}

/// Whether the entity that `before` belongs to ends there.
bool ends(const Tag& before, const Tag& tag) {
  if (before.prefix == 'O') return false;
  return before.prefix == 'E' || before.prefix == 'S' || tag.prefix == 'O' || tag.prefix == 'B' || tag.prefix == 'S' ||
         before.type != tag.type;
}

bool begins(const Tag& before, const Tag& tag) {
  return tag.prefix != 'O' && (before.prefix == 'O' || ends(before, tag));
}

void count(const std::vector<Entity>& gold, const std::vector<Entity>& predicted, EntityScores& scores) {
  for (const Entity& entity : gold) ++scores.types[entity.type].gold;
  for (const Entity& entity : predicted) {
    MatchCounts& type = scores.types[entity.type];
    ++type.predicted;
    // No two entities of a sentence begin at one word.
    const auto same = std::ranges::lower_bound(gold, entity.begin, {}, &Entity::begin);
    type.correct += same != gold.end() && *same == entity;
  }
}

}  // namespace

std::vector<Entity> entities(std::span<const std::string> tags) {
  std::vector<Entity> found;
  Tag before;
  for (size_t i = 0; i < tags.size(); ++i) {
    const Tag tag = parse(tags[i]);
    if (begins(before, tag)) found.push_back({std::string(tag.type), static_cast<int64_t>(i), 0});
    if (tag.prefix != 'O') found.back().end = static_cast<int64_t>(i) + 1;
    before = tag;
  }
  return found;
}

EntityScores entity_scores(std::span<const std::vector<std::string>> gold,
                           std::span<const std::vector<std::string>> predicted) {
  check<Error>(gold.size() == predicted.size(), "entity scores: ", gold.size(), " gold sentences and ",
               predicted.size(), " predicted ones");
  EntityScores scores;
  int64_t tags = 0, right = 0;
  for (size_t i = 0; i < gold.size(); ++i) {
    check<Error>(gold[i].size() == predicted[i].size(), "entity scores: sentence ", i, " has ", gold[i].size(),
                 " gold tags and ", predicted[i].size(), " predicted ones");
    count(entities(gold[i]), entities(predicted[i]), scores);
    tags += std::ssize(gold[i]);
    for (size_t word = 0; word < gold[i].size(); ++word) right += gold[i][word] == predicted[i][word];
  }
  for (const auto& [type, counts] : scores.types) scores.all += counts;
  scores.accuracy = static_cast<double>(right) / static_cast<double>(tags);
  return scores;
}

}  // namespace bertha
