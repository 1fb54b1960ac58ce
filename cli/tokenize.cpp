#include <charconv>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "data/tokenizer.h"
#include "data/utf8.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

constexpr const char* kStandardInput = "standard input";

struct TokenizeOptions {
  std::string vocabulary_or_model;
  bool cased = false, json = false, decode = false;
  EncodeOptions encode;
};

struct Input {
  std::string text;
  std::optional<std::string> pair;
};

std::string place(int64_t line_number) {
  return std::string(kStandardInput) + ":" + std::to_string(line_number);
}

Input parse_plain(const std::string& line) {
  const size_t tab = line.find('\t');
  if (tab == std::string::npos) return {line, std::nullopt};
  return {line.substr(0, tab), line.substr(tab + 1)};
}

Input parse_json(const std::string& line, int64_t line_number) {
  const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  check<DamagedFileError>(object.is_object(), place(line_number),
                          ": not a JSON object (expected {\"text\", \"pair\"?})");
  const auto member = [&](const char* key) -> std::optional<std::string> {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return std::nullopt;
    check<DamagedFileError>(found->is_string(), place(line_number), ": '", key, "' is not a string");
    return found->get<std::string>();
  };
  const auto text = member("text");
  check<DamagedFileError>(text.has_value(), place(line_number), ": 'text' is missing");
  return {*text, member("pair")};
}

std::vector<int32_t> parse_ids(const std::string& line, int64_t line_number) {
  constexpr const char* kBlanks = " \t\r";
  std::vector<int32_t> ids;
  for (size_t at = line.find_first_not_of(kBlanks); at != std::string::npos; at = line.find_first_not_of(kBlanks, at)) {
    const size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(line.data() + at, line.data() + end, id);
    check<DamagedFileError>(error == std::errc() && stop == line.data() + end, place(line_number), ": '",
                            line.substr(at, end - at), "' is not a token id");
    ids.push_back(id);
    at = end;
  }
  return ids;
}

void print_ids(const Encoding& encoding) {
  for (size_t i = 0; i < encoding.ids.size(); ++i) std::cout << (i > 0 ? " " : "") << encoding.ids[i];
  std::cout << '\n';
}

void print_json(const Encoding& encoding, const Tokenizer& tokenizer) {
  nlohmann::ordered_json object = {{"ids", encoding.ids}};
  object["tokens"] = nlohmann::json::array();
  for (const int32_t id : encoding.ids) object["tokens"].push_back(tokenizer.token(id));
  object["type_ids"] = encoding.type_ids;
  object["offsets"] = encoding.offsets;
  object["overflow"] = nlohmann::json::array();
  for (const Encoding& window : encoding.overflow) object["overflow"].push_back(window.ids);
  std::cout << object.dump() << '\n';
}

void answer(const std::string& line, int64_t line_number, const Tokenizer& tokenizer, const TokenizeOptions& options) {
  check_utf8(line, place(line_number), 0);
  if (options.decode) {
    std::cout << tokenizer.decode(parse_ids(line, line_number)) << '\n';
    return;
  }
  const Input input = options.json ? parse_json(line, line_number) : parse_plain(line);
  const Encoding encoding = tokenizer.encode(input.text, input.pair, options.encode);
  options.json ? print_json(encoding, tokenizer) : print_ids(encoding);
}

void run_tokenize(const TokenizeOptions& options) {
  if (std::filesystem::is_directory(options.vocabulary_or_model)) verify_small_files(options.vocabulary_or_model);
  const std::unique_ptr<Tokenizer> tokenizer =
      read_tokenizer(options.vocabulary_or_model, options.cased ? std::optional(false) : std::nullopt);
  std::ios::sync_with_stdio(false);
  std::string line;
  for (int64_t line_number = 1; std::getline(std::cin, line); ++line_number) {
    answer(line, line_number, *tokenizer, options);
  }
  check<Error>(!std::cin.bad(), kStandardInput, ": cannot be read");
  check<Error>(std::cout.flush().good(), "standard output: cannot be written");
}

}  // namespace

void add_tokenize(CLI::App& app) {
  const auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = app.add_subcommand(
      "tokenize", "Reads lines from standard input (text, or text<TAB>pair) and prints each one's token ids.");
  command
      ->add_option("VOCAB_OR_MODEL", options->vocabulary_or_model,
                   "A vocab.txt, a vocab.json with merges.txt beside it, a tokenizer.json, or a model directory")
      ->required();
  command->add_flag("--cased", options->cased, "Keep case and accents (default: as the model says, else lowercase)");
  auto* max_length = command->add_option("--max-length", options->encode.max_length,
                                         "Cut to this many tokens, special tokens included");
  max_length->check(CLI::PositiveNumber);
  const std::map<std::string, Truncation> truncations = {{"longest_first", Truncation::kLongestFirst},
                                                         {"only_first", Truncation::kOnlyFirst},
                                                         {"only_second", Truncation::kOnlySecond}};
  command->add_option("--truncation", options->encode.truncation, "Which text of a pair is cut")
      ->transform(CLI::CheckedTransformer(truncations))
      ->option_text("longest_first|only_first|only_second")
      ->needs(max_length);
  command->add_option("--stride", options->encode.stride, "Tokens that two consecutive windows share")
      ->check(CLI::NonNegativeNumber)
      ->needs(max_length);
  auto* json =
      command->add_flag("--json", options->json,
                        "Read objects {\"text\", \"pair\"?}, print objects {\"ids\", \"tokens\", \"type_ids\", "
                        "\"offsets\", \"overflow\"}; offsets count Unicode code points");
  command->add_flag("--decode", options->decode, "Read lines of ids, print their text")->excludes(json);
  command->callback([options] { run_tokenize(*options); });
}

}  // namespace bertha
