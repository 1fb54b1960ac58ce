#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/heap.h"
#include "cli/output_file.h"
#include "data/vocabulary.h"
#include "data/wordpiece_trainer.h"

namespace bertha {
namespace {

struct VocabOptions {
  std::vector<std::string> files;
  std::string output;
  bool cased = false;
  VocabularyOptions learning;
};

void run_vocab(VocabOptions options) {
  return_large_buffers();
  options.learning.count.casing = options.cased ? Casing::kCased : Casing::kUncased;
  const std::filesystem::path folder = std::filesystem::path(options.output).parent_path();
  options.learning.count.scratch_directory = folder.empty() ? "." : folder.string();
  const WordCounts counts = count_words(options.files, options.learning.count);
  if (counts.left_out > 0) {
    std::cerr << "bertha: the " << counts.left_out << " rarest of "
              << counts.left_out + static_cast<int64_t>(counts.words.size())
              << " distinct words were left out to stay within --memory\n";
  }
  const Vocabulary vocabulary(learn_pieces(counts.words, options.learning.size), options.output);
  vocabulary.write(options.output);
  if (vocabulary.size() < options.learning.size) {
    std::cerr << "bertha: " << options.output << ": " << vocabulary.size() << " tokens instead of "
              << options.learning.size << ", for no further pair of pieces occurs twice\n";
  }
}

}  // namespace

void add_vocab(CLI::App& app) {
  const auto options = std::make_shared<VocabOptions>();
  CLI::App* command = app.add_subcommand("vocab", "Learns a WordPiece vocabulary from text files.");
  command->add_option("FILE", options->files, "Text files, UTF-8; also .gz, .jsonl and .jsonl.gz")->required();
  command->add_option("--size", options->learning.size, "Tokens, the five special ones included")
      ->check(CLI::PositiveNumber)
      ->required();
  command->add_option("--output", options->output, "Where the vocabulary goes")->check(output_file())->required();
  command->add_flag("--cased", options->cased, "Keep case and accents");
  command->add_option("--memory", options->learning.count.memory_bytes, "Memory for counting words")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->default_str("1G");
  command->callback([options] { run_vocab(*options); });
}

}  // namespace bertha
