#include "train/recipes/analysis_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;
using Mistake = TaskAnalysis::Mistake;

Json place_json(const std::optional<CodePoints>& place) {
  return place ? Json{place->begin, place->end} : Json();
}

std::optional<CodePoints> place_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return CodePoints{json.at(0).get<int32_t>(), json.at(1).get<int32_t>()};
}

Json table_json(const TaskAnalysis::Table& table) {
  Json rows = Json::array();
  for (const auto& [name, counts] : table.rows) {
    rows.push_back({{"name", name},
                    {"support", counts.gold},
                    {"predicted", counts.predicted},
                    {"correct", counts.correct},
                    {"precision", counts.precision()},
                    {"recall", counts.recall()},
                    {"f1", counts.f1()}});
  }
  return {{"of", table.of}, {"rows", rows}};
}

TaskAnalysis::Table table_of(const Json& json) {
  TaskAnalysis::Table table{json.at("of").get<std::string>(), {}};
  for (const Json& row : json.at("rows")) {
    const MatchCounts counts = {row.at("support").get<int64_t>(), row.at("predicted").get<int64_t>(),
                                row.at("correct").get<int64_t>()};
    table.rows.emplace_back(row.at("name").get<std::string>(), counts);
  }
  return table;
}

Json mistake_json(const Mistake& mistake) {
  Json json = {{"where", mistake.where}, {"kind", mistake.kind}, {"text", mistake.text},
               {"pair", mistake.pair},   {"gold", mistake.gold}, {"predicted", mistake.predicted},
               {"score", mistake.score}};
  if (mistake.gold_place) json["gold_place"] = place_json(mistake.gold_place);
  if (mistake.predicted_place) json["predicted_place"] = place_json(mistake.predicted_place);
  if (mistake.f1) json["f1"] = *mistake.f1;
  return json;
}

Mistake mistake_of(const Json& json) {
  const auto text = [&json](const char* name) { return json.at(name).get<std::string>(); };
  Mistake mistake;
  mistake.where = text("where");
  mistake.kind = text("kind");
  mistake.text = text("text");
  mistake.pair = text("pair");
  mistake.gold = text("gold");
  mistake.predicted = text("predicted");
  mistake.score = json.at("score").get<double>();
  mistake.gold_place = place_of(json.value("gold_place", Json()));
  mistake.predicted_place = place_of(json.value("predicted_place", Json()));
  if (json.contains("f1")) mistake.f1 = json["f1"].get<double>();
  return mistake;
}

Json analysis_json(const TaskAnalysis& analysis) {
  Json tables = Json::array(), confusion = Json::array(), mistakes = Json::array(), kinds = Json::object();
  for (const TaskAnalysis::Table& table : analysis.tables) tables.push_back(table_json(table));
  for (const TaskAnalysis::Cell& cell : analysis.confusion) {
    confusion.push_back({cell.gold, cell.predicted, cell.count});
  }
  for (const Mistake& mistake : analysis.mistakes) mistakes.push_back(mistake_json(mistake));
  for (const auto& [kind, count] : analysis.kinds) kinds[kind] = count;
  return {{"items", analysis.items}, {"tables", tables}, {"labels", analysis.labels},
          {"confusion", confusion},  {"kinds", kinds},   {"mistakes_found", analysis.mistakes_found},
          {"mistakes", mistakes}};
}

TaskAnalysis analysis_of(const Json& json) {
  TaskAnalysis analysis;
  analysis.items = json.at("items").get<int64_t>();
  for (const Json& table : json.at("tables")) analysis.tables.push_back(table_of(table));
  analysis.labels = json.at("labels").get<std::vector<std::string>>();
  for (const Json& cell : json.at("confusion")) {
    analysis.confusion.push_back({cell.at(0).get<int32_t>(), cell.at(1).get<int32_t>(), cell.at(2).get<int64_t>()});
  }
  for (const auto& [kind, count] : json.at("kinds").items()) analysis.kinds.emplace_back(kind, count.get<int64_t>());
  analysis.mistakes_found = json.at("mistakes_found").get<int64_t>();
  for (const Json& mistake : json.at("mistakes")) analysis.mistakes.push_back(mistake_of(mistake));
  return analysis;
}

// The places of its cells.
bool is_consistent(const TaskAnalysis& analysis) {
  const auto exists = [&](int32_t label) { return label >= 0 && label < std::ssize(analysis.labels); };
  return std::ranges::all_of(analysis.confusion,
                             [&](const auto& cell) { return exists(cell.gold) && exists(cell.predicted); });
}

}  // namespace

std::string to_json(const TaskAnalyses& analyses) {
  Json json = Json::object();
  for (const auto& [name, analysis] : analyses) json[name] = analysis_json(analysis);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

TaskAnalyses parse_analyses(std::string_view json, std::string_view where) {
  TaskAnalyses analyses;
  try {
    const Json object = Json::parse(json);
    for (const auto& [name, analysis] : object.items()) {
      analyses.emplace_back(name, analysis_of(analysis));
      check<DamagedFileError>(is_consistent(analyses.back().second), where, ": a cell of '", name,
                              "' names a label that is not there");
    }
  } catch (const nlohmann::json::exception&) {
    fail<DamagedFileError>(where, ": is not what fine-tuning writes");
  }
  return analyses;
}

}  // namespace bertha
