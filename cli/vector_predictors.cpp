#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/npy_file.h"
#include "cli/predictor_kinds.h"
#include "data/file.h"
#include "data/lines.h"
#include "data/utf8.h"
#include "train/model_directory.h"
#include "train/recipes/embed.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;
using Answers = std::vector<ordered_json>;
using Inputs = std::span<const PredictInput>;

constexpr uint64_t kLargestCandidateFile = uint64_t{1} << 30;

class VectorPredictor : public JsonPredictor<ordered_json> {
 public:
  VectorPredictor(const PredictOptions& options, ModelDescription description) : options_(options) {
    description.head = Head::kNone;
    model_ = read_task_model(options.model, description);
    tokenizer_ = read_tokenizer(options.model, description.config);
  }

 protected:
  const PredictOptions& options() const { return options_; }

  // Texts that are too long are cut.
  std::vector<Tensor> vectors(std::span<const std::string> texts) const {
    std::vector<Encoding> encodings;
    std::vector<TextRange> words;
    for (const std::string& text : texts) {
      encodings.push_back(tokenizer_->encode(text, std::nullopt, {.max_length = model_->config().longest_sequence()}));
      if (!options_.word.empty()) words.push_back(place_of_word(text));
    }
    return options_.word.empty() ? embed(*model_, encodings, options_.pooling) : embed_words(*model_, encodings, words);
  }

 private:
  TextRange place_of_word(const std::string& text) const {
    const size_t at = text.find(options_.word);
    check<ConfigError>(at != text.npos, "text: '", text, "' does not hold the word '", options_.word, "'");
    const int64_t begin = count_code_points(std::string_view(text).substr(0, at));
    return {begin, begin + count_code_points(options_.word)};
  }

  const PredictOptions& options_;
  std::unique_ptr<BertForTask> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

class EmbeddingPredictor : public VectorPredictor {
 public:
  EmbeddingPredictor(const PredictOptions& options, const ModelDescription& description)
      : VectorPredictor(options, description) {
    if (!options.output.empty()) file_.emplace(options.output);
  }

  Answers answer_all(Inputs inputs) override {
    std::vector<std::string> texts;
    for (const PredictInput& input : inputs) texts.push_back(input[0]);
    Answers answers;
    for (const Tensor& vector : vectors(texts)) {
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
    return options().pooling == Pooling::kTokens && options().word.empty() ? rows : rows.front();
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

  Answers answer_all(Inputs inputs) override {
    Answers answers;
    for (const PredictInput& input : inputs) answers.push_back(lines_.empty() ? compare(input) : search(input));
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
  static constexpr size_t kBatch = 32;

  void read_candidates() {
    for_each_line(read_text(options().candidates, kLargestCandidateFile), [&](std::string_view line) {
      if (!is_blank(line)) lines_.emplace_back(line);
    });
    check<ConfigError>(!lines_.empty(), options().candidates, ": holds no lines to search");
    for (size_t begin = 0; begin < lines_.size(); begin += kBatch) {
      const auto part = std::span<const std::string>(lines_).subspan(begin, std::min(kBatch, lines_.size() - begin));
      for (Tensor& vector : vectors(part)) line_vectors_.push_back(std::move(vector));
    }
  }

  ordered_json compare(const PredictInput& input) const {
    check_texts(input, 2, "similarity needs two texts, or --candidates FILE");
    const std::vector<Tensor> both = vectors(std::span(input).first(2));
    return {{"score", cosine(both[0].span<float>(), both[1].span<float>())}};
  }

  ordered_json search(const PredictInput& input) const {
    const Tensor wanted = vectors(std::span(input).first(1)).front();
    std::vector<std::pair<double, size_t>> scores;
    for (size_t i = 0; i < lines_.size(); ++i) {
      scores.emplace_back(-cosine(wanted.span<float>(), line_vectors_[i].span<float>()), i);
    }
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
