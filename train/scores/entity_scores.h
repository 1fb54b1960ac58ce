#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "train/scores/match_counts.h"

namespace bertha {

/// Words [begin, end) of a sentence.
struct Entity {
  std::string type;
  int64_t begin = 0, end = 0;

  bool operator==(const Entity&) const = default;
};

/// The entities that tags `O`, `B-`, `I-`, `E-` and `S-` with a type spell, however broken the sequence: as the
/// conlleval script and seqeval (its default mode) read it. A change of type begins an entity, whatever the prefix; a
/// prefix alone has the type `_`. Any other tag is a type as a whole, of which words that follow one another are one
/// entity, as in Hugging Face's pipelines; seqeval takes the first letter off such a tag.
std::vector<Entity> entities(std::span<const std::string> tags);

/// How predicted tags agree with gold tags. An entity is right where type and both ends are.
struct EntityScores {
  MatchCounts all;
  std::map<std::string, MatchCounts> types;
  double accuracy = 0;  // of single tags; NaN where there are none
};

/// One list of tags a sentence. Throws Error where numbers of sentences or words differ.
/// Source: Tjong Kim Sang and De Meulder 2003 (arXiv:cs/0306050) §2.4.
EntityScores entity_scores(std::span<const std::vector<std::string>> gold,
                           std::span<const std::vector<std::string>> predicted);

}  // namespace bertha
