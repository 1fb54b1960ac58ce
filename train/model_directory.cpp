#include "train/model_directory.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "train/checkpoint/safetensors.h"

namespace bertha {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr uintmax_t kLargestJson = 1 << 20;

struct Architecture {
  std::string_view name;
  PretrainingHeads heads;
};
constexpr Architecture kArchitectures[] = {
    {"BertForMaskedLM", PretrainingHeads::kMlm},
    {"BertForPreTraining", PretrainingHeads::kMlmAndNextSentence},
    {"BertForNextSentencePrediction", PretrainingHeads::kNextSentence},
};

json read_json(const std::string& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  check<ConfigError>(!error, path, ": cannot be read (", error.message(), ")");
  check<DamagedFileError>(size <= kLargestJson, path, ": ", size, " bytes (at most ", kLargestJson, ")");
  std::ifstream file(path, std::ios::binary);
  const json value = json::parse(file, nullptr, /*allow_exceptions=*/false);
  check<DamagedFileError>(value.is_object(), path, ": not a JSON object");
  return value;
}

// Reads `key` where it is there; the type must fit.
template <class T>
void read_key(const json& object, const std::string& path, const char* key, T& value) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return;
  bool fits = found->is_string();
  if constexpr (std::is_same_v<T, int64_t>) fits = found->is_number_integer();
  if constexpr (std::is_same_v<T, double>) fits = found->is_number();
  if constexpr (std::is_same_v<T, bool>) fits = found->is_boolean();
  check<DamagedFileError>(fits, path, ": '", key, "' is ", found->dump(), " (another type was expected)");
  value = found->get<T>();
}

std::string shape_text(const StoredTensor& stored) {
  std::string text;
  for (const int64_t dimension : stored.shape) text += (text.empty() ? "" : ", ") + std::to_string(dimension);
  return "(" + text + ")";
}

// What a BERT configuration may say besides sizes, and this one must not.
void refuse_other_kinds(const json& object, const std::string& path) {
  std::string positions = "absolute";
  bool decoder = false;
  bool tied = true;
  read_key(object, path, "position_embedding_type", positions);
  read_key(object, path, "is_decoder", decoder);
  read_key(object, path, "tie_word_embeddings", tied);
  check<MismatchError>(positions == "absolute", path, ": position_embedding_type is '", positions,
                       "' (expected absolute)");
  check<MismatchError>(!decoder, path, ": is_decoder is true (expected an encoder)");
  check<MismatchError>(tied, path, ": tie_word_embeddings is false (expected a decoder tied to the word embeddings)");
}

// The tied decoder and index buffers that some writers store beside the parameters.
bool is_passed_over(std::string_view name) {
  return name == "cls.predictions.decoder.weight" || name == "cls.predictions.decoder.bias" ||
         name == "bert.embeddings.position_ids" || name == "bert.embeddings.token_type_ids";
}

}  // namespace

ModelDescription read_model_description(const std::string& directory) {
  const std::string path = directory + "/config.json";
  const json object = read_json(path);
  std::string type = "bert";
  read_key(object, path, "model_type", type);
  check<MismatchError>(type == "bert", path, ": model_type is '", type, "' (expected bert)");
  ModelDescription description;
  BertConfig& c = description.config;
  read_key(object, path, "vocab_size", c.vocab_size);
  read_key(object, path, "hidden_size", c.hidden_size);
  read_key(object, path, "num_hidden_layers", c.num_hidden_layers);
  read_key(object, path, "num_attention_heads", c.num_attention_heads);
  read_key(object, path, "intermediate_size", c.intermediate_size);
  read_key(object, path, "max_position_embeddings", c.max_position_embeddings);
  read_key(object, path, "type_vocab_size", c.type_vocab_size);
  read_key(object, path, "hidden_act", c.hidden_act);
  read_key(object, path, "hidden_dropout_prob", c.hidden_dropout_prob);
  read_key(object, path, "attention_probs_dropout_prob", c.attention_probs_dropout_prob);
  read_key(object, path, "layer_norm_eps", c.layer_norm_eps);
  read_key(object, path, "initializer_range", c.initializer_range);
  validate(c, path);
  refuse_other_kinds(object, path);
  const json architectures = object.value("architectures", json::array());
  const std::string name = architectures.is_array() && !architectures.empty() && architectures[0].is_string()
                               ? architectures[0].get<std::string>()
                               : "";
  for (const Architecture& known : kArchitectures) {
    if (known.name == name) {
      description.heads = known.heads;
      return description;
    }
  }
  fail<MismatchError>(path, ": architecture '", name,
                      "' has no pretraining head (expected BertForMaskedLM, BertForPreTraining or "
                      "BertForNextSentencePrediction)");
}

void read_weights(const std::string& directory, ParameterStore& parameters) {
  const SafetensorsFile file(directory + "/model.safetensors");
  for (const PublishedTensor& tensor : parameters.published()) {
    const StoredTensor* stored = file.find(tensor.name);
    check<MismatchError>(stored != nullptr, file.path(), ": tensor '", tensor.name, "' is missing (the model has it)");
    check<MismatchError>(stored->has_shape(tensor.shape), file.path(), ": '", tensor.name, "' has shape ",
                         shape_text(*stored), ", the model expects ", tensor.shape);
    file.read(tensor.name, parameters.values().subspan(tensor.offset, tensor.shape.numel()));
  }
  for (const StoredTensor& stored : file.tensors()) {
    const bool known = std::ranges::binary_search(parameters.published(), stored.name, {}, &PublishedTensor::name);
    check<MismatchError>(known || is_passed_over(stored.name), file.path(), ": tensor '", stored.name,
                         "' is one too many (the model has none of this name)");
  }
}

std::unique_ptr<BertForPretraining> read_model(const std::string& directory) {
  const ModelDescription description = read_model_description(directory);
  auto model = std::make_unique<BertForPretraining>(description.config, description.heads);
  read_weights(directory, model->parameters());
  return model;
}

WordPiece read_tokenizer(const std::string& directory, const BertConfig& config) {
  WordPiece tokenizer = WordPiece::read(directory, std::nullopt);
  check<MismatchError>(tokenizer.vocabulary().size() <= config.vocab_size, directory,
                       "/vocab.txt: ", tokenizer.vocabulary().size(), " tokens (the model has ", config.vocab_size,
                       ")");
  return tokenizer;
}

std::string config_json(const BertForPretraining& model, const WordPiece& tokenizer) {
  const BertConfig& c = model.config();
  std::string_view architecture;
  for (const Architecture& known : kArchitectures) {
    if (known.heads == model.heads()) architecture = known.name;
  }
  const ordered_json config = {
      {"architectures", ordered_json::array({architecture})},
      {"model_type", "bert"},
      {"vocab_size", c.vocab_size},
      {"hidden_size", c.hidden_size},
      {"num_hidden_layers", c.num_hidden_layers},
      {"num_attention_heads", c.num_attention_heads},
      {"intermediate_size", c.intermediate_size},
      {"max_position_embeddings", c.max_position_embeddings},
      {"type_vocab_size", c.type_vocab_size},
      {"hidden_act", c.hidden_act},
      {"hidden_dropout_prob", c.hidden_dropout_prob},
      {"attention_probs_dropout_prob", c.attention_probs_dropout_prob},
      {"layer_norm_eps", c.layer_norm_eps},
      {"initializer_range", c.initializer_range},
      {"pad_token_id", tokenizer.vocabulary().pad()},
      {"tie_word_embeddings", true},
      {"dtype", "float32"},
  };
  return config.dump(2) + "\n";
}

ModelContent model_content(const BertForPretraining& model, const WordPiece& tokenizer) {
  ModelContent content;
  content.files = {{"config.json", config_json(model, tokenizer)}};
  for (Tokenizer::File& file : tokenizer.files(model.config().max_position_embeddings)) {
    content.files.push_back({std::move(file.name), std::move(file.content)});
  }
  const ParameterStore& store = model.parameters();
  for (const PublishedTensor& tensor : store.published()) {
    content.weights.push_back({tensor.name, tensor.shape, store.values().subspan(tensor.offset, tensor.shape.numel())});
  }
  return content;
}

}  // namespace bertha
