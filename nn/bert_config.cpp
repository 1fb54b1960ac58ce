#include "nn/bert_config.h"

#include <algorithm>
#include <array>

#include "autograd/core/error.h"

namespace bertha {

namespace {

struct Preset {
  std::string_view name;
  int64_t layers, hidden, heads;
};

constexpr std::array kPresets{
    Preset{"tiny", 2, 128, 2},     Preset{"mini", 4, 256, 4},    Preset{"small", 4, 512, 8},
    Preset{"medium", 8, 512, 8},   Preset{"minilm", 6, 384, 12}, Preset{"base", 12, 768, 12},
    Preset{"large", 24, 1024, 16},
};

constexpr auto kPresetNames = [] {
  std::array<std::string_view, kPresets.size()> names;
  std::ranges::transform(kPresets, names.begin(), &Preset::name);
  return names;
}();

constexpr std::array<std::string_view, 3> kActivationNames{"gelu", "gelu_new", "gelu_pytorch_tanh"};

struct Size {
  std::string_view key;
  int64_t value;
  int64_t smallest, largest;  // far beyond any model, so that no product of sizes overflows
};

void validate_sizes(const BertConfig& c, std::string_view where) {
  for (const auto& [key, value, smallest, largest] : {
           Size{"vocab_size", c.vocab_size, 1, 1 << 24},
           Size{"hidden_size", c.hidden_size, 1, 1 << 16},
           Size{"num_hidden_layers", c.num_hidden_layers, 1, 1 << 10},
           Size{"num_attention_heads", c.num_attention_heads, 1, 1 << 16},
           Size{"intermediate_size", c.intermediate_size, 1, 1 << 18},
           Size{"max_position_embeddings", c.max_position_embeddings, c.first_position() + 1, 1 << 16},
           Size{"type_vocab_size", c.type_vocab_size, 0, 1 << 10},
       })
    check<ConfigError>(smallest <= value && value <= largest, where, ": ", key, " is ", value, " (expected ", smallest,
                       " to ", largest, ")");
  check<ConfigError>(0 <= c.pad_token_id && c.pad_token_id < c.vocab_size, where, ": pad_token_id is ", c.pad_token_id,
                     " (expected 0 to below vocab_size ", c.vocab_size, ")");
}

}  // namespace

double BertConfig::task_dropout(Head head) const {
  const double classifier = classifier_dropout.value_or(hidden_dropout_prob);
  switch (family) {
    case Family::kDistilBert:
      if (head == Head::kSpans) return qa_dropout;
      return head == Head::kTokens ? hidden_dropout_prob : classifier;
    case Family::kRoberta:
      if (head == Head::kChoice) return hidden_dropout_prob;
      break;
    case Family::kBert:
      break;
  }
  return head == Head::kSpans ? 0 : classifier;
}

std::span<const std::string_view> preset_names() {
  return kPresetNames;
}

BertConfig preset(std::string_view name) {
  const auto found = std::ranges::find(kPresets, name, &Preset::name);
  check<ConfigError>(found != kPresets.end(), "preset: unknown name '", name, "'");
  BertConfig config;
  config.num_hidden_layers = found->layers;
  config.hidden_size = found->hidden;
  config.num_attention_heads = found->heads;
  config.intermediate_size = 4 * found->hidden;
  return config;
}

std::span<const std::string_view> activation_names() {
  return kActivationNames;
}

void validate(const BertConfig& c, std::string_view where) {
  validate_sizes(c, where);
  check<ConfigError>(c.hidden_size % c.num_attention_heads == 0, where, ": hidden_size ", c.hidden_size,
                     " is not a multiple of num_attention_heads ", c.num_attention_heads);
  for (const double dropout :
       {c.hidden_dropout_prob, c.attention_probs_dropout_prob, c.classifier_dropout.value_or(0), c.qa_dropout})
    check<ConfigError>(0 <= dropout && dropout < 1, where, ": a dropout probability is ", dropout,
                       " (expected 0 to below 1)");
  check<ConfigError>(c.layer_norm_eps > 0, where, ": layer_norm_eps is ", c.layer_norm_eps, " (expected above 0)");
  check<ConfigError>(c.initializer_range > 0, where, ": initializer_range is ", c.initializer_range,
                     " (expected above 0)");
  check<ConfigError>(std::ranges::count(kActivationNames, c.hidden_act) == 1, where, ": hidden_act '", c.hidden_act,
                     "' is not supported (expected gelu, gelu_new or gelu_pytorch_tanh)");
}

}  // namespace bertha
