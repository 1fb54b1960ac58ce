#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/at_place.h"
#include "cli/npy_file.h"
#include "cli/predictor_kinds.h"
#include "data/batches.h"
#include "data/file.h"
#include "data/lines.h"
#include "data/tasks/text_words.h"
#include "train/model_directory.h"
#include "train/recipes/embed.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;
using Answers = std::vector<ordered_json>;

constexpr uint64_t kLargestCandidateFile = uint64_t{1} << 30;

class VectorPredictor : public JsonPredictor<ordered_json> {
 public:
  VectorPredictor(const PredictOptions& options, ModelDescription description) : options_(options) {
    description.head = Head::kNone;
    model_ = read_task_model(options.model, description);
    tokenizer_ = read_tokenizer(options.model, description.config);
  }

  std::string note() const override { return cut_.note(longest()); }

 protected:
  const PredictOptions& options() const { return options_; }

  // All of the texts, or, where one of them is refused, none. Those that are too long are cut.
  void add_texts(std::span<const std::string> texts) {
    std::vector<Text> added;
    for (const std::string& text : texts) {
      Text& encoded = added.emplace_back();
      encoded.encoding = tokenizer_->encode(text, std::nullopt, {.max_length = longest()});
      if (!options_.word.empty()) encoded.word = tokens_of_word(text, encoded.encoding);
    }
    for (Text& text : added) {
      cut_.add(!text.encoding.overflow.empty());
      text.encoding.overflow.clear();
      encodings_.push_back(std::move(text.encoding));
      words_.push_back(std::move(text.word));
    }
  }

  // Of the texts since the last call.
  std::vector<Tensor> vectors() {
    std::vector<Tensor> all;
    for (size_t begin = 0; begin < encodings_.size(); begin += kInferenceBatchSize) {
      const size_t count = std::min<size_t>(kInferenceBatchSize, encodings_.size() - begin);
      const auto texts = std::span<const Encoding>(encodings_).subspan(begin, count);
      const auto words = std::span<const std::vector<int32_t>>(words_).subspan(begin, count);
      std::ranges::move(options_.word.empty() ? embed(*model_, texts, options_.pooling.value_or(Pooling::kMean))
                                              : embed_words(*model_, texts, words),
                        std::back_inserter(all));
    }
    encodings_.clear();
    words_.clear();
    return all;
  }

 private:
  struct Text {
    Encoding encoding;
    std::vector<int32_t> word;  // its tokens, where one is asked for
  };

  int64_t longest() const { return model_->config().longest_sequence(); }

  std::vector<int32_t> tokens_of_word(const std::string& text, const Encoding& encoding) const {
    const Casing casing = tokenizer_->lowercase() ? Casing::kUncased : Casing::kCased;
    const std::optional<CodePoints> place = find_words(text, options_.word, casing);
    check<ConfigError>(place.has_value(), "text: '", text, "' does not hold the word '", options_.word, "'");
    std::vector<int32_t> tokens = tokens_within(encoding, {place->begin, place->end});
    check<ConfigError>(!tokens.empty(), "text: the word '", options_.word, "' stands behind the ",
                       std::ssize(encoding.ids), " tokens that the model reads");
    return tokens;
  }

  const PredictOptions& options_;
  std::unique_ptr<BertForTask> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<Encoding> encodings_;
  std::vector<std::vector<int32_t>> words_;
  CutTexts cut_;
};

class EmbeddingPredictor : public VectorPredictor {
 public:
  EmbeddingPredictor(const PredictOptions& options, const ModelDescription& description)
      : VectorPredictor(options, description) {
    if (!options.output.empty()) file_.emplace(options.output);
  }

  void add(const PredictInput& input) override {
    check_texts(input, {1, 1}, "embedding needs one text");
    add_texts(input);
  }

  Answers answer_all() override {
    Answers answers;
    for (const Tensor& vector : vectors()) {
      if (file_) {
        file_->append(vector.span<float>(), vector.cols());
      } else {
        answers.push_back({{"embedding", rows_of(vector)}});
      }
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override { return answer["embedding"].dump() + "\n"; }

  void finish() override {
    if (file_) file_->finish();
  }

 private:
  ordered_json rows_of(const Tensor& vectors) const {
    ordered_json rows = ordered_json::array();
    for (int64_t row = 0; row < vectors.rows(); ++row) {
      const Tensor one = vectors.row_range(row, 1);
      rows.push_back(std::vector<float>(one.span<float>().begin(), one.span<float>().end()));
    }
    return options().pooling == Pooling::kTokens ? rows : rows.front();
  }

  std::optional<NpyFile> file_;
};

class SimilarityPredictor : public VectorPredictor {
 public:
  SimilarityPredictor(const PredictOptions& options, const ModelDescription& description)
      : VectorPredictor(options, description) {
    check<ConfigError>(options.pooling != Pooling::kTokens, "similarity: --pooling tokens (expected mean or cls)");
    if (!options.candidates.empty()) read_candidates();
  }

  void add(const PredictInput& input) override {
    if (lines_.empty()) {
      check_texts(input, {2, 2}, "similarity needs two texts, or one with --candidates");
    } else {
      check_texts(input, {1, 1}, "similarity with --candidates needs one text");
    }
    add_texts(input);
  }

  Answers answer_all() override {
    const std::vector<Tensor> all = vectors();
    Answers answers;
    if (lines_.empty()) {
      for (size_t i = 0; i < all.size(); i += 2) answers.push_back({{"score", cosine_of(all[i], all[i + 1])}});
    } else {
      for (const Tensor& wanted : all) answers.push_back(search(wanted));
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    if (answer.is_object()) return fmt::format("{:.4f}\n", answer["score"].get<double>());
    std::string text;
    for (const ordered_json& line : answer) {
      text += fmt::format("{:.4f} {}\n", line["score"].get<double>(), line["text"].get<std::string>());
    }
    return text + "\n";
  }

 private:
  void read_candidates() {
    int64_t number = 0;
    for_each_line(read_text(options().candidates, kLargestCandidateFile), [&](std::string_view line) {
      ++number;
      if (is_blank(line)) return;
      const std::string& text = lines_.emplace_back(line);
      at_place(fmt::format("{}:{}", options().candidates, number), [&] { add_texts(std::span(&text, 1)); });
      if (lines_.size() % kInferenceBatchSize == 0) add_line_vectors();
    });
    check<ConfigError>(!lines_.empty(), options().candidates, ": holds no lines to search");
    add_line_vectors();
  }

  void add_line_vectors() { std::ranges::move(vectors(), std::back_inserter(line_vectors_)); }

  static double cosine_of(const Tensor& a, const Tensor& b) { return cosine(a.span<float>(), b.span<float>()); }

  ordered_json search(const Tensor& wanted) const {
    std::vector<std::pair<double, size_t>> scores;
    for (size_t i = 0; i < lines_.size(); ++i) scores.emplace_back(-cosine_of(wanted, line_vectors_[i]), i);
    const auto count = std::min<int64_t>(options().top_k.value_or(kDefaultCandidates), std::ssize(scores));
    std::partial_sort(scores.begin(), scores.begin() + count, scores.end());
    ordered_json list = ordered_json::array();
    for (int64_t i = 0; i < count; ++i) {
      const auto& [score, line] = scores[static_cast<size_t>(i)];
      list.push_back({{"text", lines_[line]}, {"score", -score}});
    }
    return list;
  }

  std::vector<std::string> lines_;
  std::vector<Tensor> line_vectors_;
};

}  // namespace

std::unique_ptr<Predictor> make_vector_predictor(const PredictOptions& options, const ModelDescription& description,
                                                 Task task) {
  if (task == Task::kEmbedding) return std::make_unique<EmbeddingPredictor>(options, description);
  return std::make_unique<SimilarityPredictor>(options, description);
}

}  // namespace bertha
