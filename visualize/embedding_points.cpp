#include "visualize/embedding_points.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "autograd/core/error.h"
#include "data/batches.h"
#include "data/shown.h"
#include "data/utf8.h"
#include "data/vocabulary.h"
#include "train/recipes/embed.h"
#include "visualize/token_kind.h"

namespace bertha {
namespace {

void check_count(int64_t points, std::string_view what) {
  check<ConfigError>(points >= kLeastMapPoints && points <= kMostMapPoints, "embeddings: ", points, " ", what,
                     " (from ", kLeastMapPoints, " to ", kMostMapPoints, " make a map)");
}

std::span<const float> row_of(const Tensor& vectors, size_t row) {
  const auto hidden = static_cast<size_t>(vectors.cols());
  return vectors.span<float>().subspan(row * hidden, hidden);
}

void check_finite(const EmbeddingPoints& points) {
  for (size_t i = 0; i < points.names.size(); ++i) {
    const bool finite = std::ranges::all_of(row_of(points.vectors, i), [](float x) { return std::isfinite(x); });
    check<DamagedFileError>(finite, "embeddings: the vector of ", shown(points.names[i]), " (number ", i,
                            ") is not finite");
  }
}

std::vector<double> norms_of(const Tensor& vectors) {
  std::vector<double> norms;
  for (int64_t i = 0; i < vectors.rows(); ++i) {
    double squares = 0;
    for (const float x : row_of(vectors, static_cast<size_t>(i))) squares += double{x} * x;
    norms.push_back(std::sqrt(squares));
  }
  return norms;
}

// Without what only says that a word goes on, or begins.
int64_t length_of(const std::string& token, const Tokenizer& tokenizer, int32_t id) {
  const bool has_prefix = tokenizer.is_continuation(id) && token.starts_with(kContinuationPrefix);
  return count_code_points(token) - (has_prefix ? std::ssize(kContinuationPrefix) : 0);
}

// ---- Texts

std::vector<Encoding> encode_all(const BertForTask& model, const Tokenizer& tokenizer, const MapTexts& texts,
                                 EmbeddingPoints& points) {
  std::vector<Encoding> encodings;
  for (const std::string& text : texts.texts) {
    Encoding& encoding =
        encodings.emplace_back(tokenizer.encode(text, std::nullopt, {.max_length = model.config().longest_sequence()}));
    points.cut_texts += !encoding.overflow.empty();
    encoding.overflow.clear();
  }
  return encodings;
}

// All of the texts' vectors, one under the other.
Tensor vectors_of(const BertForTask& model, std::span<const Encoding> texts, Pooling pooling, int64_t rows) {
  const int64_t hidden = model.config().hidden_size;
  Tensor all = Tensor::uninitialized({rows, hidden}, DType::f32);
  float* next = all.data<float>();
  while (!texts.empty()) {
    const auto batch = texts.first(std::min<size_t>(kInferenceBatchSize, texts.size()));
    for (const Tensor& vectors : embed(model, batch, pooling)) {
      next = std::ranges::copy(vectors.span<float>(), next).out;
    }
    texts = texts.subspan(batch.size());
  }
  return all;
}

// The columns of texts as those of their tokens.
template <class T>
std::vector<T> repeated(const std::vector<T>& of_texts, std::span<const size_t> text_of_token) {
  std::vector<T> of_tokens;
  if (of_texts.empty()) return of_tokens;
  for (const size_t text : text_of_token) of_tokens.push_back(of_texts[text]);
  return of_tokens;
}

std::vector<double> to_numbers(std::span<const int64_t> values) {
  return {values.begin(), values.end()};
}

}  // namespace

EmbeddingPoints vocabulary_points(const BertForTask& model, const Tokenizer& tokenizer) {
  check_count(tokenizer.size(), "tokens");
  EmbeddingPoints points{.vectors = model.word_embeddings().row_range(0, tokenizer.size())};
  PointColumn ids{.name = "id"}, kinds{.name = "kind"}, lengths{.name = "length"};
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string& token = points.names.emplace_back(tokenizer.token(id));
    ids.numbers.push_back(id);
    kinds.texts.emplace_back(token_kind(tokenizer, id));
    lengths.numbers.push_back(static_cast<double>(length_of(token, tokenizer, id)));
  }
  check_finite(points);
  points.columns = {ids, kinds, lengths, {.name = "norm", .numbers = norms_of(points.vectors)}};
  return points;
}

EmbeddingPoints sentence_points(const BertForTask& model, const Tokenizer& tokenizer, const MapTexts& texts) {
  check_count(std::ssize(texts.texts), "texts");
  EmbeddingPoints points{.names = texts.texts};
  const std::vector<Encoding> encodings = encode_all(model, tokenizer, texts, points);
  points.vectors = vectors_of(model, encodings, Pooling::kMean, std::ssize(encodings));
  check_finite(points);
  PointColumn tokens{.name = "tokens"};
  for (const Encoding& encoding : encodings) tokens.numbers.push_back(static_cast<double>(encoding.ids.size()));
  points.columns = texts.columns;
  points.columns.push_back({.name = "line", .numbers = to_numbers(texts.lines)});
  points.columns.push_back(tokens);
  points.columns.push_back({.name = "norm", .numbers = norms_of(points.vectors)});
  return points;
}

EmbeddingPoints token_points(const BertForTask& model, const Tokenizer& tokenizer, const MapTexts& texts) {
  EmbeddingPoints points;
  const std::vector<Encoding> encodings = encode_all(model, tokenizer, texts, points);
  PointColumn ids{.name = "id"}, kinds{.name = "kind"}, positions{.name = "position"};
  std::vector<size_t> text_of_token;
  for (size_t text = 0; text < encodings.size(); ++text) {
    const std::vector<int32_t>& all_ids = encodings[text].ids;
    for (size_t position = 0; position < all_ids.size(); ++position) {
      const int32_t id = all_ids[position];
      points.names.push_back(tokenizer.token(id));
      ids.numbers.push_back(id);
      kinds.texts.emplace_back(token_kind(tokenizer, id));
      positions.numbers.push_back(static_cast<double>(position));
      text_of_token.push_back(text);
    }
  }
  check_count(std::ssize(points.names), "tokens");
  points.vectors = vectors_of(model, encodings, Pooling::kTokens, std::ssize(points.names));
  check_finite(points);
  points.columns = {ids,
                    kinds,
                    positions,
                    {.name = "line", .numbers = repeated(to_numbers(texts.lines), text_of_token)},
                    {.name = "norm", .numbers = norms_of(points.vectors)},
                    {.name = "text", .texts = repeated(texts.texts, text_of_token)}};
  for (const PointColumn& column : texts.columns) {
    points.columns.push_back({.name = column.name,
                              .texts = repeated(column.texts, text_of_token),
                              .numbers = repeated(column.numbers, text_of_token)});
  }
  return points;
}

}  // namespace bertha
