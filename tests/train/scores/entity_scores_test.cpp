#include "train/scores/entity_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/message_of.h"
#include "tests/train/scores/reference_scores.h"

namespace bertha {

void PrintTo(const Entity& entity, std::ostream* out) {
  *out << entity.type << ' ' << entity.begin << '-' << entity.end;
}

namespace {

using nlohmann::json;
using Tags = std::vector<std::string>;
using Sentences = std::vector<Tags>;
using Entities = std::vector<Entity>;

TEST(Entities, AreReadFromEachScheme) {
  const Entities expected{{"PER", 0, 2}, {"LOC", 2, 3}, {"PER", 4, 5}};
  EXPECT_EQ(entities(Tags{"I-PER", "I-PER", "I-LOC", "O", "I-PER"}), expected);
  EXPECT_EQ(entities(Tags{"B-PER", "I-PER", "B-LOC", "O", "B-PER"}), expected);
  EXPECT_EQ(entities(Tags{"B-PER", "E-PER", "S-LOC", "O", "S-PER"}), expected);
}

TEST(Entities, OfOneTypeMayFollowEachOther) {
  EXPECT_EQ(entities(Tags{"I-A", "B-A", "I-A", "B-A"}), (Entities{{"A", 0, 1}, {"A", 1, 3}, {"A", 3, 4}}));
  EXPECT_EQ(entities(Tags{"S-A", "S-A", "B-A", "E-A", "B-A", "I-A"}),
            (Entities{{"A", 0, 1}, {"A", 1, 2}, {"A", 2, 4}, {"A", 4, 6}}));
}

TEST(Entities, OfBrokenSequencesBeginWhereNothingGoesOn) {
  EXPECT_EQ(entities(Tags{"O", "I-A", "I-B", "E-B", "I-B"}), (Entities{{"A", 1, 2}, {"B", 2, 4}, {"B", 4, 5}}));
  EXPECT_EQ(entities(Tags{"E-A", "E-A", "S-A", "I-A"}), (Entities{{"A", 0, 1}, {"A", 1, 2}, {"A", 2, 3}, {"A", 3, 4}}));
  EXPECT_EQ(entities(Tags{"B-A", "S-A", "I-A"}), (Entities{{"A", 0, 1}, {"A", 1, 2}, {"A", 2, 3}}));
  EXPECT_EQ(entities(Tags{"B-A-b", "I-A-b", "I-A-c"}), (Entities{{"A-b", 0, 2}, {"A-c", 2, 3}}));
  EXPECT_EQ(entities(Tags{"O", "O"}), Entities{});
  EXPECT_EQ(entities(Tags{}), Entities{});
}

TEST(Entities, OfTagsWithoutPrefixesAreTheirWholeNames) {
  EXPECT_EQ(entities(Tags{"PER", "PER", "ORG", "O", "OTHER", "VERB", "LABEL_0"}),
            (Entities{{"PER", 0, 2}, {"ORG", 2, 3}, {"OTHER", 4, 5}, {"VERB", 5, 6}, {"LABEL_0", 6, 7}}));
  EXPECT_EQ(entities(Tags{"B_X", "O-X", "-X", "o"}),
            (Entities{{"B_X", 0, 1}, {"O-X", 1, 2}, {"-X", 2, 3}, {"o", 3, 4}}));
  EXPECT_EQ(entities(Tags{"A", "I-A", "B-A"}), (Entities{{"A", 0, 2}, {"A", 2, 3}}));
}

TEST(Entities, OfPrefixesAloneHaveOneType) {
  EXPECT_EQ(entities(Tags{"B", "I", "O", "B-", "S"}), (Entities{{"_", 0, 2}, {"_", 3, 4}, {"_", 4, 5}}));
}

TEST(EntityScores, OfASmallExample) {
  // Right: PER 0-2 and LOC 0-1; the first sentence's LOC is too long, the second's MISC is not gold.
  const Sentences gold{{"B-PER", "I-PER", "O", "B-LOC", "O"}, {"B-LOC", "O", "O"}};
  const Sentences predicted{{"B-PER", "I-PER", "O", "B-LOC", "I-LOC"}, {"B-LOC", "O", "B-MISC"}};
  const EntityScores scores = entity_scores(gold, predicted);
  EXPECT_DOUBLE_EQ(scores.all.precision(), 2.0 / 4);
  EXPECT_DOUBLE_EQ(scores.all.recall(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.all.f1(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(scores.accuracy, 6.0 / 8);
  ASSERT_EQ(scores.types.size(), 3u);
  EXPECT_DOUBLE_EQ(scores.types.at("LOC").f1(), 0.5);
  EXPECT_EQ(scores.types.at("MISC").precision(), 0);
  EXPECT_EQ(scores.types.at("PER").f1(), 1);
}

TEST(EntityScores, OfTheSameSpanWithAnotherTypeIsNoMatch) {
  EXPECT_EQ(entity_scores(Sentences{{"B-A"}}, Sentences{{"B-B"}}).all.correct, 0);
}

TEST(EntityScores, WithoutEntitiesAreZero) {
  EXPECT_EQ(entity_scores(Sentences{{"O"}}, Sentences{{"O"}}).all.f1(), 0);
  EXPECT_TRUE(std::isnan(entity_scores(Sentences{}, Sentences{}).accuracy));
}

TEST(EntityScores, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(message_of<Error>([] { entity_scores(Sentences{{"O"}}, Sentences{}); }),
            "entity scores: 1 gold sentences and 0 predicted ones");
  EXPECT_EQ(message_of<Error>([] {
              entity_scores(Sentences{{"O"}, {"O"}}, Sentences{{"O"}, {"O", "O"}});
            }),
            "entity scores: sentence 1 has 1 gold tags and 2 predicted ones");
}

TEST(EntityScoresParity, EqualSeqevalOnRandomTags) {
  if (!python_has("seqeval")) GTEST_SKIP() << python() << " has no seqeval (BERTHA_PYTHON names another)";
  const std::vector<Tags> schemes{{"O", "B-A", "I-A", "B-B", "I-B"},
                                  {"O", "I-A", "I-B", "B-A"},
                                  {"O", "B", "I", "E", "S", "B-A"},
                                  {"O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B", "I-A-b"}};
  RandomStream random(4, "test");
  json cases = json::array();
  for (uint32_t i = 0; i < 200; ++i) {
    const Tags& scheme = schemes[i % schemes.size()];
    const auto draw = [&] { return scheme[random.below(static_cast<uint32_t>(scheme.size()))]; };
    Sentences gold(1 + random.below(5)), predicted(gold.size());
    for (size_t k = 0; k < gold.size(); ++k)
      for (uint32_t words = 1 + random.below(12); words > 0; --words) {
        gold[k].push_back(draw());
        predicted[k].push_back(random.below(3) == 0 ? draw() : gold[k].back());
      }
    gold[0].push_back("B-A");  // seqeval has no report without an entity
    predicted[0].push_back("O");
    cases.push_back({{"gold", gold}, {"predicted", predicted}});
  }
  const json references = reference_scores("entities", cases);
  ASSERT_EQ(references.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].dump());
    const json& reference = references[i];
    const auto predicted = cases[i]["predicted"].get<Sentences>();
    for (size_t k = 0; k < predicted.size(); ++k) {
      Entities expected;
      for (const json& e : reference["entities"][k])
        expected.push_back({e[0], e[1].get<int64_t>(), e[2].get<int64_t>()});
      EXPECT_EQ(entities(predicted[k]), expected);
    }
    const EntityScores scores = entity_scores(cases[i]["gold"].get<Sentences>(), predicted);
    const auto expect_counts = [](const json& numbers, const MatchCounts& counts) {
      expect_score(numbers[0], counts.precision(), "precision");
      expect_score(numbers[1], counts.recall(), "recall");
      expect_score(numbers[2], counts.f1(), "F1");
      expect_score(numbers[3], static_cast<double>(counts.gold), "support");
    };
    expect_counts(reference["all"], scores.all);
    ASSERT_EQ(reference["types"].size(), scores.types.size());
    for (const auto& [type, counts] : scores.types) expect_counts(reference["types"][type], counts);
    expect_score(reference["accuracy"], scores.accuracy, "accuracy");
  }
}

}  // namespace
}  // namespace bertha
