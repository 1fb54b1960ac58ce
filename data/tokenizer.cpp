#include "data/tokenizer.h"

#include <filesystem>

#include "autograd/core/error.h"
#include "data/byte_bpe.h"
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

std::unique_ptr<Tokenizer> read_whole(const fs::path& path, std::optional<bool> lowercase) {
  TokenizerFile file = read_tokenizer_file(path);
  if (file.kind == TokenizerFile::Kind::kWordPiece) {
    return std::make_unique<WordPiece>(Vocabulary(std::move(file.tokens), path.string()),
                                       lowercase.value_or(file.lowercase));
  }
  const ByteBpe::Options options = {file.add_prefix_space, file.mask_takes_blanks};
  return std::make_unique<ByteBpe>(std::move(file.tokens), file.merges, options, path.string());
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

std::unique_ptr<Tokenizer> read_directory(const fs::path& directory, std::optional<bool> lowercase) {
  const bool has_wordpiece = fs::exists(directory / "vocab.txt");
  const bool has_byte_bpe = fs::exists(directory / "vocab.json") && fs::exists(directory / "merges.txt");
  if (has_wordpiece || has_byte_bpe) {
    const TokenizerConfig config = read_tokenizer_config(directory / "tokenizer_config.json");
    const bool byte_bpe =
        has_wordpiece && has_byte_bpe ? reads_byte_bpe(directory, config.tokenizer_class) : has_byte_bpe;
    if (byte_bpe) return read_byte_bpe(directory / "vocab.json", config);
    return std::make_unique<WordPiece>(WordPiece::read(directory, lowercase));
  }
  check<ConfigError>(fs::exists(directory / "tokenizer.json"), directory.string(),
                     ": holds no tokenizer (looked for vocab.txt, vocab.json with merges.txt, and tokenizer.json)");
  return read_whole(directory / "tokenizer.json", lowercase);
}

}  // namespace

bool Tokenizer::is_special(int32_t id) const {
  const SpecialIds ids = specials();
  return id >= 0 && (id == ids.pad || id == ids.unk || id == ids.cls || id == ids.sep || id == ids.mask);
}

std::unique_ptr<Tokenizer> read_tokenizer(const std::string& path, std::optional<bool> lowercase) {
  if (fs::is_directory(path)) return read_directory(path, lowercase);
  if (path.ends_with("tokenizer.json")) return read_whole(path, lowercase);
  if (path.ends_with(".json")) return read_byte_bpe(path, {});
  return std::make_unique<WordPiece>(WordPiece::read(path, lowercase));
}

}  // namespace bertha
