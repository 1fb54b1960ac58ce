#include <algorithm>
#include <filesystem>

#include "autograd/core/error.h"
#include "cli/inspect/sequence_view.h"
#include "cli/inspect/show.h"
#include "data/premasked_set.h"
#include "train/premasked_child.h"

namespace bertha {
namespace {

std::vector<std::pair<std::string, uint64_t>> files_of(const std::string& directory) {
  std::vector<std::pair<std::string, uint64_t>> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.is_regular_file()) files.emplace_back(entry.path().filename(), entry.file_size());
  }
  std::ranges::sort(files);
  return files;
}

/// Reads every file, each in a process of its own before.
void look_inside(const Tokenizer& tokenizer, const InspectOptions& options, SequenceView& view) {
  PremaskedSet set(view.subject.path, tokenizer.size(), Objective::kMlm, check_premasked_in_child);
  view.sequence_length = set.sequence_length();
  view.sequences = set.size();
  view.tokens = set.tokens();
  count_tokens(set.token_counts(), tokenizer, view);
  view.samples = shown_samples(options, tokenizer, set.size(), [&](int64_t number) { return set.sample(number); });
  if (!options.stats) return;
  view.length_counts.emplace(static_cast<size_t>(set.sequence_length()) + 1);
  for (int64_t i = 0; i < set.size(); ++i) ++(*view.length_counts)[set.sample(i).sequence.ids.size()];
}

}  // namespace

void show_premasked(const Subject& subject, const InspectOptions& options) {
  SequenceView view{.subject = subject, .files = files_of(subject.path), .vocabulary = options.vocab};
  check<ConfigError>(!options.stats || !options.vocab.empty(), "--stats: the vocabulary of ", subject.path,
                     " is not known (expected --vocab, too)");
  if (!options.vocab.empty()) look_inside(*read_tokenizer(options.vocab), options, view);
  print(view, options);
}

}  // namespace bertha
