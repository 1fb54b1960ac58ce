#include "data/tokenizer.h"

#include <filesystem>

#include "autograd/core/error.h"
#include "data/byte_bpe.h"
#include "data/file.h"
#include "data/tokenizer_files.h"
#include "data/wordpiece.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Tokenizer> read_byte_bpe(const fs::path& vocabulary, const TokenizerConfig& config) {
  ByteBpe::Options options;
  options.add_prefix_space = config.add_prefix_space.value_or(false);
  options.mask_takes_blanks = config.mask_takes_blanks.value_or(true);
  return std::make_unique<ByteBpe>(read_vocabulary_json(vocabulary),
                                   read_merges(vocabulary.parent_path() / "merges.txt"), options, vocabulary.string());
}

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerFile file, const std::string& path) {
  if (file.kind == TokenizerFile::Kind::kWordPiece) {
    return std::make_unique<WordPiece>(Vocabulary(std::move(file.tokens), path), file.lowercase);
  }
  const ByteBpe::Options options = {file.add_prefix_space, file.mask_takes_blanks};
  return std::make_unique<ByteBpe>(std::move(file.tokens), file.merges, options, path);
}

/// Only BERT's own settings are supported.
void check_settings(const TokenizerConfig& config, const std::string& path) {
  const bool lowercase = config.do_lower_case.value_or(true);
  check<MismatchError>(
      config.strip_accents.value_or(lowercase) == lowercase, path,
      ": 'strip_accents' differs from 'do_lower_case' (accents are stripped exactly when lowercasing)");
  check<MismatchError>(config.tokenize_chinese_chars.value_or(true), path,
                       ": 'tokenize_chinese_chars' is false (CJK ideographs are always split)");
}

/// What tokenizer_config.json says goes before what tokenizer.json says, and so does what Hugging Face takes its
/// silence for: where that differs, nobody knows which is meant.
void apply(std::optional<bool> configured, const char* key, bool usual, const std::string& path, bool& setting) {
  check<MismatchError>(configured || setting == usual, path, ": says '", key, "' is ", setting ? "true" : "false",
                       ", tokenizer_config.json does not, for which Hugging Face takes ", usual ? "true" : "false",
                       " (say there which is meant)");
  setting = configured.value_or(setting);
}

std::unique_ptr<Tokenizer> read_whole(const std::string& path, const TokenizerConfig& config,
                                      std::optional<bool> lowercase) {
  TokenizerFile file = read_tokenizer_file(path);
  if (lowercase) {
    file.lowercase = *lowercase;
  } else if (file.kind == TokenizerFile::Kind::kWordPiece && !config.is_generic()) {
    apply(config.do_lower_case, "do_lower_case", true, path, file.lowercase);
  }
  if (file.kind == TokenizerFile::Kind::kByteBpe && !config.is_generic()) {
    apply(config.add_prefix_space, "add_prefix_space", false, path, file.add_prefix_space);
  }
  file.mask_takes_blanks = config.mask_takes_blanks.value_or(file.mask_takes_blanks);
  return make_tokenizer(std::move(file), path);
}

/// Which of two vocabularies in one directory a tokenizer of this class reads.
bool reads_byte_bpe(const fs::path& directory, std::string_view tokenizer_class) {
  std::string_view name = tokenizer_class;
  if (name.ends_with("Fast")) name.remove_suffix(4);
  const bool byte_bpe = name == "RobertaTokenizer" || name == "GPT2Tokenizer";
  check<ConfigError>(byte_bpe || name == "BertTokenizer" || name == "DistilBertTokenizer", directory.string(),
                     ": holds both vocab.txt and vocab.json, and tokenizer_class of tokenizer_config.json is '",
                     tokenizer_class, "' (expected BertTokenizer, DistilBertTokenizer, RobertaTokenizer or ",
                     "GPT2Tokenizer, which say which to read)");
  return byte_bpe;
}

std::unique_ptr<Tokenizer> read_files(const fs::path& directory, std::optional<bool> lowercase) {
  const std::string config_path = directory / "tokenizer_config.json";
  const TokenizerConfig config = read_tokenizer_config(config_path);
  const bool has_wordpiece = path_exists(directory / "vocab.txt");
  const bool has_byte_bpe = path_exists(directory / "vocab.json") && path_exists(directory / "merges.txt");
  const bool has_all = path_exists(directory / "tokenizer.json");
  check<ConfigError>(has_wordpiece || has_byte_bpe || has_all, directory.string(),
                     ": holds no tokenizer (looked for vocab.txt, vocab.json with merges.txt, and tokenizer.json)");
  if (!has_all || !config.is_generic()) check_settings(config, config_path);
  if (has_all) return read_whole(directory / "tokenizer.json", config, lowercase);
  const bool byte_bpe =
      has_wordpiece && has_byte_bpe ? reads_byte_bpe(directory, config.tokenizer_class) : has_byte_bpe;
  if (byte_bpe) return read_byte_bpe(directory / "vocab.json", config);
  return std::make_unique<WordPiece>(Vocabulary::read(directory / "vocab.txt"),
                                     lowercase.value_or(config.do_lower_case.value_or(true)));
}

std::unique_ptr<Tokenizer> read_directory(const std::string& directory, std::optional<bool> lowercase) {
  auto tokenizer = read_files(directory, lowercase);
  for (const auto& [token, id, path] : read_added_tokens(directory)) {
    const auto known = tokenizer->find(token);
    check<MismatchError>(known && tokenizer->is_special(*known) && id.value_or(*known) == *known, path,
                         ": adds token '", token, "' (no tokens but the vocabulary's special ones may be added)");
  }
  return tokenizer;
}

}  // namespace

bool Tokenizer::is_special(int32_t id) const {
  const SpecialIds ids = specials();
  return id >= 0 && (id == ids.pad || id == ids.unk || id == ids.cls || id == ids.sep || id == ids.mask);
}

std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path, std::optional<bool> lowercase) {
  if (path_is_directory(path)) return read_directory(path, lowercase);
  if (path.ends_with("tokenizer.json")) {
    TokenizerFile file = read_tokenizer_file(path);
    file.lowercase = lowercase.value_or(file.lowercase);
    return make_tokenizer(std::move(file), path);
  }
  if (path.ends_with(".json")) return read_byte_bpe(path, {});
  return std::make_unique<WordPiece>(Vocabulary::read(path), lowercase.value_or(true));
}

}  // namespace bertha
