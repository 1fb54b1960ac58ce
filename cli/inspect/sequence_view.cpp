#include "cli/inspect/sequence_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/inspect/text.h"
#include "data/printable.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json samples_json(const std::vector<ShownSample>& samples) {
  Json list = Json::array();
  for (const ShownSample& sample : samples) {
    list.push_back({{"sequence", sample.number},
                    {"tokens", sample.tokens},
                    {"next_sentence_label", sample.next_sentence_label},
                    {"text", sample.text.text},
                    {"masked", sample.text.masked},
                    {"to_predict", sample.text.to_predict}});
  }
  return list;
}

Json files_json(const SequenceView& view) {
  Json list = Json::array();
  for (const auto& [name, bytes] : view.files) list.push_back({{"name", name}, {"bytes", bytes}});
  return list;
}

Json to_json(const SequenceView& view) {
  Json report = {{"path", view.subject.path},
                 {"kind", to_text(view.subject.kind)},
                 {"objective", json_of(view.objective)},
                 {"sequence_length", json_of(view.sequence_length)},
                 {"sequences", json_of(view.sequences)},
                 {"tokens", json_of(view.tokens)},
                 {"documents", json_of(view.documents)},
                 {"text_bytes", json_of(view.text_bytes)},
                 {"seed", json_of(view.seed)},
                 {"vocabulary", view.vocabulary.empty() ? Json() : Json(view.vocabulary)},
                 {"unknown_share", json_of(view.unknown_share)},
                 {"unigram_entropy", view.unigram ? Json(view.unigram->entropy) : Json()},
                 {"tokens_in_use", view.unigram ? Json(view.unigram->distinct) : Json()},
                 {"files", files_json(view)},
                 {"samples", samples_json(view.samples)}};
  if (view.length_counts) report["length_counts"] = *view.length_counts;
  if (!view.manifest.empty()) {
    report[view.subject.kind == Kind::kShard ? "shard" : "manifest"] = Json::parse(view.manifest);
  }
  return report;
}

double mean_of(int64_t sum, int64_t count) {
  return count > 0 ? static_cast<double>(sum) / static_cast<double>(count) : 0;
}

// A bar for each sixteenth of the longest length.
void print_lengths(const std::vector<int64_t>& counts) {
  constexpr size_t kBars = 16;
  std::vector<int64_t> sums(kBars);
  int64_t sequences = 0;
  for (size_t length = 1; length < counts.size(); ++length) {
    sums[(length - 1) * kBars / (counts.size() - 1)] += counts[length];
    sequences += counts[length];
  }
  if (sequences == 0) return;
  const auto length_at = [&](double share) {
    auto rank = static_cast<int64_t>(share * static_cast<double>(sequences - 1));
    size_t length = 0;
    while (rank >= counts[length]) rank -= counts[length++];
    return length;
  };
  print_member("lengths",
               fmt::format("{} to {}, median {}, 5 % below {}, full {}", length_at(0), length_at(1), length_at(0.5),
                           length_at(0.05), percent_text(mean_of(counts.back(), sequences))));
  print_member("", fmt::format("1 {} {}", bars(sums.data(), sums.size()), counts.size() - 1));
}

void print_samples(const std::vector<ShownSample>& samples) {
  for (const ShownSample& sample : samples) {
    std::string predictions;
    for (const std::string& token : sample.text.to_predict) predictions += " " + token;
    const char* label = sample.next_sentence_label == 1   ? ", second segment from another document"
                        : sample.next_sentence_label == 0 ? ", second segment follows the first"
                                                          : "";
    std::cout << fmt::format("\nsequence {}, {} tokens{}\n  {}\n  {}\n  to predict:{}\n", sample.number, sample.tokens,
                             label, printable(sample.text.text), printable(sample.text.masked), printable(predictions));
  }
}

void print_counts(const SequenceView& view) {
  const auto number = [](const char* name, const std::optional<int64_t>& value) {
    if (value) print_member(name, with_commas(*value));
  };
  if (view.objective) print_member("objective", *view.objective);
  number("sequence length", view.sequence_length);
  number("sequences", view.sequences);
  number("tokens", view.tokens);
  if (view.sequences && view.tokens) {
    print_member("mean length", fmt::format("{:.1f}", mean_of(*view.tokens, *view.sequences)));
  }
  number("documents", view.documents);
  uint64_t bytes = 0;
  for (const auto& [name, size] : view.files) bytes += size;
  print_member("files", fmt::format("{}, {}", view.files.size(), size_text(bytes)));
  if (view.text_bytes) print_member("text", size_text(static_cast<uint64_t>(*view.text_bytes)));
  if (view.seed) print_member("seed", std::to_string(*view.seed));
}

void print_report(const SequenceView& view) {
  std::cout << printable(view.subject.path) << ": " << to_text(view.subject.kind) << '\n';
  print_counts(view);
  print_member("vocabulary", view.vocabulary.empty()
                                 ? "not found beside or above (--vocab shows what the sequences say)"
                                 : printable(view.vocabulary));
  if (view.unknown_share) print_member("unknown words", fmt::format("{:.2f} % of tokens", 100 * *view.unknown_share));
  if (view.unigram) {
    print_member("tokens in use", with_commas(view.unigram->distinct));
    print_member("unigram entropy", fmt::format("{:.4f} nats", view.unigram->entropy));
  }
  if (view.length_counts) print_lengths(*view.length_counts);
  print_samples(view.samples);
}

}  // namespace

std::vector<ShownSample> shown_samples(const InspectOptions& options, const Tokenizer& tokenizer, int64_t size,
                                       const std::function<MaskedSequence(int64_t number)>& read) {
  constexpr int64_t kFew = 3;
  const int64_t count = std::min(options.samples.value_or(kFew), size);
  std::vector<ShownSample> samples;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t number = size / count * i;
    const MaskedSequence sample = read(number);
    samples.push_back(
        {number, std::ssize(sample.sequence.ids), sample.sequence.next_sentence_label, sample_text(tokenizer, sample)});
  }
  return samples;
}

void count_tokens(const std::vector<int64_t>& counts, const Tokenizer& tokenizer, SequenceView& view) {
  const int32_t unk = tokenizer.specials().unk;
  view.unigram = unigram_of(counts, tokenizer);
  const int64_t unknown = unk >= 0 ? counts[static_cast<size_t>(unk)] : 0;
  view.unknown_share = mean_of(unknown, view.unigram->tokens + unknown);
}

void print(const SequenceView& view, const InspectOptions& options) {
  if (options.json) {
    std::cout << to_json(view).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print_report(view);
  }
}

}  // namespace bertha
