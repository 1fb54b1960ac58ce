#include "visualize/attention_page.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "data/utf8.h"
#include "visualize/attention_codec.h"
#include "visualize/attention_facts.h"
#include "visualize/attention_rollout.h"
#include "visualize/page.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kPredictions = 5;  // at each position

std::string readable(const Tokenizer& tokenizer, int32_t id) {
  // A vocabulary may be shorter than the model's table.
  return id < tokenizer.size() ? repaired_utf8(tokenizer.readable(id)) : "[unused " + std::to_string(id) + "]";
}

ordered_json special_name(const Tokenizer& tokenizer, int32_t id) {
  return id < 0 ? ordered_json() : ordered_json(readable(tokenizer, id));
}

SpecialPlaces special_places(const Encoding& encoding, const Tokenizer& tokenizer) {
  SpecialPlaces places;
  for (int64_t place = 0; place < std::ssize(encoding.ids); ++place) {
    const int32_t id = encoding.ids[static_cast<size_t>(place)];
    if (id == tokenizer.specials().cls) places.first.push_back(place);
    if (id == tokenizer.specials().sep) places.separators.push_back(place);
  }
  return places;
}

ordered_json to_json(const HeadFacts& facts) {
  return {facts.entropy, facts.distance, facts.first, facts.separator, facts.largest};
}

// A head's thumbnail as bytes: p = largest (byte / 255)^2, which tells small weights apart.
void append_thumbnail(std::span<const float> weights, std::vector<std::byte>& bytes) {
  const std::vector<float> cells = thumbnail(weights);
  const double largest = std::ranges::max(cells);
  for (const float cell : cells) {
    bytes.push_back(static_cast<std::byte>(std::lround(255 * std::sqrt(cell / largest))));
  }
}

// Rows of 16-bit numbers; in front of them each row's scale, as float.
std::vector<std::byte> packed_rows(const std::vector<double>& matrix, size_t n) {
  std::vector<std::byte> bytes(n * sizeof(float) + n * n * sizeof(uint16_t));
  for (size_t row = 0; row < n; ++row) {
    const auto values = std::span(matrix).subspan(row * n, n);
    const auto scale = static_cast<float>(std::ranges::max(values) / 65535);
    std::memcpy(bytes.data() + row * sizeof(float), &scale, sizeof(float));
    for (size_t i = 0; i < n; ++i) {
      const auto number = static_cast<uint16_t>(std::min(65535.0, std::round(values[i] / scale)));
      std::memcpy(bytes.data() + n * sizeof(float) + (row * n + i) * sizeof(number), &number, sizeof(number));
    }
  }
  return bytes;
}

ordered_json predictions_json(const std::vector<std::vector<Candidate>>& positions, const Tokenizer& tokenizer) {
  if (positions.empty()) return {};
  ordered_json list = ordered_json::array();
  for (const std::vector<Candidate>& candidates : positions) {
    ordered_json position = ordered_json::array();
    for (const Candidate& candidate : candidates) {
      position.push_back({readable(tokenizer, candidate.id), candidate.score});
    }
    list.push_back(std::move(position));
  }
  return list;
}

// What the page holds of one model.
class ModelPart {
 public:
  ModelPart(const AttentionSubject& subject, const std::string& prefix, std::vector<PageBlock>& blocks)
      : prefix_(prefix), places_(special_places(subject.text.encoding, subject.model->tokenizer())), blocks_(blocks) {
    const AttentionModel& model = *subject.model;
    json_ = {{"name", repaired_utf8(model.directory())},
             {"layers", model.config().num_hidden_layers},
             {"heads", model.config().num_attention_heads},
             {"headSize", model.config().hidden_size / model.config().num_attention_heads},
             {"bits", ordered_json::array()},
             {"facts", ordered_json::array()}};
    const auto predictions =
        model.attend(subject.text.encoding, kPredictions, [this](const auto& layer) { add(layer); });
    json_["error"] = error_;
    json_["predictions"] = predictions_json(predictions, model.tokenizer());
    blocks_.push_back(page_block(prefix_ + ".thumbnails", thumbnails_));
    const auto n = static_cast<size_t>(subject.text.tokens());
    blocks_.push_back(page_block(prefix_ + ".rollout", packed_rows(rollout_.matrix(), n)));
  }

  ordered_json&& json() && { return std::move(json_); }

 private:
  void add(const LayerAttention& layer) {
    const PackedLayer packed = pack_layer(layer);
    blocks_.push_back(page_block(prefix_ + ".layer-" + std::to_string(layer.layer), packed.bytes));
    json_["bits"].push_back(packed.bits);
    error_ = std::max(error_, packed.error);
    ordered_json facts = ordered_json::array();
    for (int64_t head = 0; head < layer.heads; ++head) {
      facts.push_back(to_json(head_facts(layer.head(head), places_)));
      append_thumbnail(layer.head(head), thumbnails_);
    }
    json_["facts"].push_back(std::move(facts));
    rollout_.add(layer);
  }

  std::string prefix_;
  SpecialPlaces places_;
  std::vector<PageBlock>& blocks_;
  ordered_json json_;
  double error_ = 0;
  std::vector<std::byte> thumbnails_;
  AttentionRollout rollout_;
};

ordered_json text_json(const AttentionSubject& subject) {
  const Tokenizer& tokenizer = subject.model->tokenizer();
  const AttentionText& text = subject.text;
  ordered_json tokens = ordered_json::array();
  for (const int32_t id : text.encoding.ids) tokens.push_back(readable(tokenizer, id));
  return {{"tokens", tokens},
          {"second", text.encoding.second_begin},
          {"leftOut", text.left_out},
          {"firstName", special_name(tokenizer, tokenizer.specials().cls)},
          {"separatorName", special_name(tokenizer, tokenizer.specials().sep)},
          {"thumbnailSide", thumbnail_side(text.tokens())}};
}

}  // namespace

std::string attention_page(std::span<const AttentionSubject> subjects) {
  Page page{.title = "Attention: " + repaired_utf8(subjects[0].model->directory()),
            .styles = {"attention.css"},
            .scripts = {"attention-data.js", "attention-state.js", "attention-draw.js", "attention-rows.js",
                        "attention-lines.js", "attention-details.js", "attention-heads.js", "attention-matrix.js",
                        "attention-model.js", "attention-neurons.js", "attention-facts.js", "attention-rollout.js",
                        "attention-predictions.js", "attention-prefetch.js", "attention.js"},
            .data = {}};
  ordered_json json = text_json(subjects[0]);
  for (const AttentionSubject& subject : subjects) {
    ModelPart part(subject, "model-" + std::to_string(json["models"].size()), page.blocks);
    json["models"].push_back(std::move(part).json());
  }
  page.data = json.dump();
  return to_html(page);
}

}  // namespace bertha
