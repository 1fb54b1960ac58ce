#include "train/model_directory.h"

#include <algorithm>

#include "nn/published_names.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/stored_weights.h"

namespace bertha {
namespace {

std::string shape_text(const StoredTensor& stored) {
  std::string text;
  for (const int64_t dimension : stored.shape) text += (text.empty() ? "" : ", ") + std::to_string(dimension);
  return "(" + text + ")";
}

// The tied decoder and index buffers that some writers store beside the parameters.
bool is_passed_over(std::string_view name) {
  constexpr std::string_view kWhole[] = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias",
                                         "lm_head.decoder.weight", "lm_head.decoder.bias", "vocab_projector.weight"};
  return std::ranges::count(kWhole, name) > 0 || name.ends_with("embeddings.position_ids") ||
         name.ends_with("embeddings.token_type_ids");
}

// The name without the encoder's in front, or all of it.
std::string_view without_encoder(std::string_view name) {
  for (const Family family : kFamilies) {
    const std::string_view encoder = family_name(family);
    if (name.starts_with(encoder) && name.substr(encoder.size()).starts_with('.')) {
      return name.substr(encoder.size() + 1);
    }
  }
  return name;
}

// The name of the same tensor in the layer that stands at its number in `layers`.
std::string name_of_layer(const std::string& name, std::span<const int64_t> layers) {
  constexpr std::string_view kLayer = ".layer.";
  const size_t at = name.find(kLayer);
  if (layers.empty() || at == name.npos) return name;
  const size_t begin = at + kLayer.size();
  const size_t end = name.find('.', begin);
  const auto number = static_cast<size_t>(std::stoul(name.substr(begin, end - begin)));
  return name.substr(0, begin) + std::to_string(layers[number]) + name.substr(end);
}

bool is_of_encoder(std::string_view name) {
  const std::string_view inner = without_encoder(name);
  return inner.starts_with("embeddings.") || inner.starts_with("encoder.") || inner.starts_with("transformer.");
}

// Files of a bare encoder leave its name out, and some have the names that LayerNorm's tensors had in TensorFlow.
const StoredWeight* find_stored(const StoredWeights& weights, std::string_view name) {
  for (const std::string_view form : {name, without_encoder(name)}) {
    for (const std::string& known : {std::string(form), tensorflow_name(form)}) {
      if (const StoredWeight* stored = weights.find(known)) return stored;
    }
  }
  return nullptr;
}

void read_tensor(const StoredWeight& stored, const PublishedTensor& tensor, ParameterStore& parameters) {
  check<MismatchError>(stored.tensor->has_shape(tensor.shape), stored.file->path(), ": '", stored.name(),
                       "' has shape ", shape_text(*stored.tensor), ", the model expects ", tensor.shape);
  stored.read(parameters.values().subspan(tensor.offset, tensor.shape.numel()));
}

void read_all(const StoredWeights& weights, ParameterStore& parameters) {
  for (const PublishedTensor& tensor : parameters.published()) {
    const StoredWeight* stored = find_stored(weights, tensor.name);
    check<MismatchError>(stored != nullptr, weights.path(), ": tensor '", tensor.name,
                         "' is missing (the model has it)");
    read_tensor(*stored, tensor, parameters);
  }
}

StoredWeights open_weights(const std::string& directory) {
  if (const auto record = record_of(directory, kWeightsName)) verify_file(directory, *record);
  return StoredWeights(directory);
}

// Tensors that no parameter takes.
std::vector<std::string> unused_tensors(const StoredWeights& weights, const ParameterStore& parameters) {
  std::vector<std::string> used, unused;
  for (const PublishedTensor& tensor : parameters.published()) {
    if (const StoredWeight* stored = find_stored(weights, tensor.name)) used.push_back(stored->name());
  }
  std::ranges::sort(used);
  for (const StoredWeight& stored : weights.tensors()) {
    const bool known = std::ranges::binary_search(used, stored.name()) || is_passed_over(stored.name());
    if (!known) unused.push_back(stored.name());
  }
  return unused;
}

// Whether a tensor that the model does not have belongs to a head; a pooler is one.
bool is_of_head(std::string_view name, bool bare) {
  const std::string_view inner = without_encoder(name);
  const bool outside = inner.size() == name.size() && !bare;
  return inner.starts_with("pooler.") || (outside && !is_of_encoder(name));
}

// The tensors of heads that no parameter takes; an encoder with more tensors computes something else.
std::vector<std::string> unused_of_heads(const StoredWeights& weights, const ParameterStore& parameters) {
  const bool bare = std::ranges::none_of(weights.tensors(), [](const StoredWeight& stored) {
    return without_encoder(stored.name()).size() < stored.name().size();
  });
  std::vector<std::string> unused = unused_tensors(weights, parameters);
  for (const std::string& name : unused) {
    check<MismatchError>(is_of_head(name, bare), weights.path(), ": tensor '", name,
                         "' is one too many (the encoder has none of this name)");
  }
  return unused;
}

}  // namespace

void read_weights(const std::string& directory, ParameterStore& parameters) {
  const StoredWeights weights = open_weights(directory);
  read_all(weights, parameters);
  const std::vector<std::string> unused = unused_tensors(weights, parameters);
  check<MismatchError>(unused.empty(), weights.path(), ": tensor '", unused.empty() ? "" : unused.front(),
                       "' is one too many (the model has none of this name)");
}

void read_model_weights(const std::string& directory, ParameterStore& parameters) {
  const StoredWeights weights = open_weights(directory);
  read_all(weights, parameters);
  unused_of_heads(weights, parameters);
}

std::vector<std::string> unused_weights(const std::string& directory, const ParameterStore& parameters) {
  return unused_of_heads(StoredWeights(directory), parameters);
}

SharedWeights read_shared_weights(const std::string& directory, ParameterStore& parameters,
                                  std::span<const int64_t> layers, OutputLayer output_layer) {
  const StoredWeights weights = open_weights(directory);
  SharedWeights result;
  for (const PublishedTensor& tensor : parameters.published()) {
    const StoredWeight* stored = find_stored(weights, name_of_layer(tensor.name, layers));
    // A head of another task may have tensors of the same name and another shape.
    const bool fits = stored && (is_of_encoder(tensor.name) || stored->tensor->has_shape(tensor.shape));
    check<MismatchError>(fits || !is_of_encoder(tensor.name), weights.path(), ": tensor '", tensor.name,
                         "' is missing (the encoder has it)");
    if (fits && (output_layer == OutputLayer::kTaken || !is_output_layer(tensor.name))) {
      read_tensor(*stored, tensor, parameters);
    } else {
      result.missing.push_back(tensor.name);
    }
  }
  if (layers.empty()) result.unused = unused_of_heads(weights, parameters);
  return result;
}

std::unique_ptr<BertForPretraining> read_model(const std::string& directory) {
  const ModelDescription description = read_model_description(directory);
  check<MismatchError>(is_for_pretraining(description.head), directory, ": has no pretraining head (its task is ",
                       task_name(description.task.task), ")");
  auto model = std::make_unique<BertForPretraining>(description.config, description.head);
  read_model_weights(directory, model->parameters());
  return model;
}

std::unique_ptr<BertForTask> read_task_model(const std::string& directory, const ModelDescription& description) {
  auto model = std::make_unique<BertForTask>(description.config, task_head(description));
  if (description.head == Head::kNone) {
    read_shared_weights(directory, model->parameters(), {}, OutputLayer::kTaken);
  } else {
    read_model_weights(directory, model->parameters());
  }
  return model;
}

std::unique_ptr<Tokenizer> read_tokenizer(const std::string& directory, const BertConfig& config) {
  verify_small_files(directory);
  auto tokenizer = read_tokenizer(directory);
  check<MismatchError>(tokenizer->size() <= config.vocab_size, directory, ": the tokenizer has ", tokenizer->size(),
                       " tokens (the model has ", config.vocab_size, ")");
  return tokenizer;
}

ModelContent model_content(const ModelDescription& description, const ParameterStore& parameters,
                           const Tokenizer& tokenizer) {
  ModelContent content;
  content.files = {{"config.json", config_json(description, tokenizer)}};
  for (auto& [name, bytes] : tokenizer.files(description.config.longest_sequence())) {
    content.files.push_back({name, bytes});
  }
  for (const PublishedTensor& tensor : parameters.published()) {
    content.weights.push_back(
        {tensor.name, tensor.shape, parameters.values().subspan(tensor.offset, tensor.shape.numel())});
  }
  return content;
}

}  // namespace bertha
