#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "data/file.h"
#include "train/model_directory.h"
#include "visualize/braille_map.h"
#include "visualize/embedding_page.h"
#include "visualize/projector_files.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

enum class MapOf { kVocabulary, kSentences, kTokens };

struct EmbeddingsOptions {
  std::string model, output, tsv;
  std::optional<MapOf> of;
  std::string data;
  std::optional<std::string> text_column;
  std::vector<std::string> color_columns;
  bool json = false, terminal = false;

  MapOf wanted() const { return of.value_or(data.empty() ? MapOf::kVocabulary : MapOf::kSentences); }
};

void check_options(const EmbeddingsOptions& options) {
  check<ConfigError>(!options.output.empty() || !options.tsv.empty() || options.terminal,
                     "visualize embeddings: nothing to do (--output PAGE, --tsv DIRECTORY or --terminal)");
  const bool of_file = options.wanted() != MapOf::kVocabulary;
  check<ConfigError>(options.output.empty() || std::filesystem::is_directory(parent_directory(options.output)),
                     options.output, ": its directory does not exist");
  check<ConfigError>(of_file || options.data.empty(),
                     "--data: the vocabulary is the model's own (--of sentences or "
                     "--of tokens)");
  check<ConfigError>(!of_file || !options.data.empty(), "--of: sentences and tokens are those of a file (--data FILE)");
  check<ConfigError>(of_file || (!options.text_column && options.color_columns.empty()),
                     "--text-column, --color-column: are those of a file (--data FILE)");
}

EmbeddingPoints points_of(const EmbeddingsOptions& options) {
  ModelDescription description = read_model_description(options.model);
  description.head = Head::kNone;
  const std::unique_ptr<BertForTask> model = read_task_model(options.model, description);
  const std::unique_ptr<Tokenizer> tokenizer = read_tokenizer(options.model, description.config);
  if (options.wanted() == MapOf::kVocabulary) return vocabulary_points(*model, *tokenizer);
  const MapTexts texts = read_map_texts(options.data, options.text_column, options.color_columns);
  return options.wanted() == MapOf::kSentences ? sentence_points(*model, *tokenizer, texts)
                                               : token_points(*model, *tokenizer, texts);
}

EmbeddingPageTexts page_texts(const EmbeddingsOptions& options, const EmbeddingPoints& points) {
  const int64_t hidden = points.vectors.cols();
  const std::string color = options.color_columns.empty() ? "" : options.color_columns.front();
  switch (options.wanted()) {
    case MapOf::kVocabulary:
      return {fmt::format("Embeddings of {}", options.model), "token",
              fmt::format("tokens of the vocabulary, as {} numbers each: the rows of the embedding matrix.", hidden),
              "kind"};
    case MapOf::kSentences:
      return {fmt::format("{} as {} sees it", options.data, options.model), "text",
              fmt::format("texts, as {} numbers each: the mean of the last hidden states.", hidden), color};
    case MapOf::kTokens:
      return {fmt::format("Tokens of {} as {} sees them", options.data, options.model), "token",
              fmt::format("tokens where they stand, as {} numbers each: the last hidden states.", hidden),
              color.empty() ? "kind" : color};
  }
  return {};
}

// ---- In the terminal

CharacterSize picture_size() {
  constexpr int64_t kBelow = 5;  // lines that are printed besides
  const int64_t columns = std::max<int64_t>(20, terminal_width());
  return {columns, std::clamp<int64_t>(terminal_height() - kBelow, 10, columns / 2)};
}

// Whole words ask for room first.
std::vector<int32_t> naming_order(const EmbeddingPoints& points) {
  std::vector<int32_t> order(points.names.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kind = std::ranges::find(points.columns, "kind", &PointColumn::name);
  if (kind == points.columns.end() || kind->texts.empty()) return order;
  std::ranges::stable_partition(order, [&](int32_t i) { return kind->texts[static_cast<size_t>(i)] == "word"; });
  return order;
}

void draw(const EmbeddingPoints& points, const EmbeddingMap& map) {
  fmt::print("{}", braille_map(map.layout, points.names, naming_order(points), picture_size()));
}

// ---- The report

ordered_json to_json(const MapQuality& quality) {
  return {{"trustworthiness", quality.trustworthiness}, {"neighbors_kept", quality.kept}};
}

ordered_json report(const EmbeddingsOptions& options, const EmbeddingPoints& points) {
  ordered_json json{{"points", points.names.size()}, {"dimensions", points.vectors.cols()}};
  if (points.cut_texts > 0) json["cut_texts"] = points.cut_texts;
  if (!options.tsv.empty()) {
    write_projector_files(options.tsv, points);
    json["tsv"] = options.tsv;
  }
  if (options.output.empty() && !options.terminal) return json;
  const EmbeddingMap map = map_embeddings(points.vectors);
  if (options.terminal) draw(points, map);
  if (!options.output.empty()) {
    const std::string page = embedding_page(points, map, page_texts(options, points));
    write_durably(options.output, page);
    json["output"] = options.output;
    json["bytes"] = page.size();
  }
  json["explained_variance"] = map.components.explained;
  json["quality"] = {{"neighbors", map.layout_quality.neighbors},
                     {"sampled_points", map.layout_quality.points},
                     {"pca", to_json(map.components_quality)},
                     {"umap", to_json(map.layout_quality)}};
  return json;
}

void print(const ordered_json& json) {
  fmt::print("{} points of {} dimensions\n", json["points"].get<size_t>(), json["dimensions"].get<int64_t>());
  if (json.contains("cut_texts")) {
    fmt::print("{} texts were cut to what the model reads\n", json["cut_texts"].get<int64_t>());
  }
  if (json.contains("tsv")) fmt::print("{0}/vectors.tsv, {0}/metadata.tsv\n", json["tsv"].get<std::string>());
  if (!json.contains("quality")) return;
  const ordered_json& quality = json["quality"];
  for (const char* map : {"pca", "umap"}) {
    fmt::print("{:<5} keeps {:.1f} % of the {} nearest neighbours, trustworthiness {:.3f}\n", map,
               100 * quality[map]["neighbors_kept"].get<double>(), quality["neighbors"].get<int64_t>(),
               quality[map]["trustworthiness"].get<double>());
  }
  if (json.contains("output")) say_written(json["output"].get<std::string>(), json["bytes"].get<uint64_t>());
}

void run_visualize_embeddings(const EmbeddingsOptions& options) {
  check_options(options);
  const ordered_json json = report(options, points_of(options));
  if (options.json) {
    fmt::print("{}\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    print(json);
  }
}

}  // namespace

void add_visualize_embeddings(CLI::App& visualize) {
  const auto options = std::make_shared<EmbeddingsOptions>();
  CLI::App* command = visualize.add_subcommand(
      "embeddings", "Draws a model's vocabulary, or the texts or tokens of a file, as a map in an offline page.");
  command->add_option("MODEL", options->model, "A model directory")->required();
  command->add_option("--output", options->output, "The page to write")->check(output_file());
  command->add_option("--tsv", options->tsv,
                      "A directory for vectors.tsv and metadata.tsv, which TensorBoard's projector reads");
  const std::map<std::string, MapOf> maps = {
      {"vocabulary", MapOf::kVocabulary}, {"sentences", MapOf::kSentences}, {"tokens", MapOf::kTokens}};
  command->add_option("--of", options->of, "What the points are (default: sentences where there is --data)")
      ->transform(CLI::CheckedTransformer(maps))
      ->option_text("vocabulary|sentences|tokens");
  command->add_option("--data", options->data, "A text a line, or a table: .tsv, .csv, .jsonl, each also with .gz");
  command->add_option("--text-column", options->text_column, "The table's column of texts (default: text)");
  command->add_option("--color-column", options->color_columns,
                      "A column to colour points by, and, given again, further ones to choose from");
  CLI::Option* json = command->add_flag("--json", options->json, "Print one JSON object");
  command->add_flag("--terminal", options->terminal, "Draw the map in the terminal, in Braille dots")->excludes(json);
  command->callback([options] { run_visualize_embeddings(*options); });
}

}  // namespace bertha
