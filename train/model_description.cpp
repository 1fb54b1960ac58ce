#include "train/model_description.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "data/json_reader.h"
#include "data/printable.h"
#include "data/shown.h"
#include "nn/published_names.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint64_t kLargestJson = 1 << 19;  // a value in memory takes many times its bytes
constexpr size_t kLongestName = 64;         // of an activation
constexpr Head kHeads[] = {Head::kNone,         Head::kMlm,      Head::kMlmAndNextSentence,
                           Head::kNextSentence, Head::kSequence, Head::kTokens,
                           Head::kSpans,        Head::kChoice,   Head::kIntentAndSlots};

json read_json(const std::string& path) {
  const std::string text = read_text(path, kLargestJson);
  check_json(text, path);
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);  // a number may be too large
  check<DamagedFileError>(value.is_object(), path, ": not a JSON object");
  return value;
}

// As a sentence may show it.
std::string text_of(const json& value) {
  return value.is_structured() ? value.type_name() : shown(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

// Reads `key` and says whether it is there; the type must fit.
template <class T>
bool read_key(const json& object, const std::string& path, const char* key, T& value) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return false;
  bool fits = found->is_string();
  if constexpr (std::is_same_v<T, int64_t>) fits = found->is_number_integer();
  if constexpr (std::is_same_v<T, double>) fits = found->is_number();
  if constexpr (std::is_same_v<T, bool>) fits = found->is_boolean();
  check<DamagedFileError>(fits, path, ": '", key, "' is ", text_of(*found), " (another type was expected)");
  value = found->get<T>();
  return true;
}

// What a BERT configuration may say besides sizes, and this one must not.
void refuse_other_kinds(const json& object, const std::string& path) {
  std::string positions = "absolute";
  bool decoder = false;
  bool tied = true;
  read_key(object, path, "position_embedding_type", positions);
  read_key(object, path, "is_decoder", decoder);
  read_key(object, path, "tie_word_embeddings", tied);
  check<MismatchError>(positions == "absolute", path, ": position_embedding_type is ", shown(positions),
                       " (expected absolute)");
  check<MismatchError>(!decoder, path, ": is_decoder is true (expected an encoder)");
  check<MismatchError>(tied, path, ": tie_word_embeddings is false (expected a decoder tied to the word embeddings)");
}

Family read_family(const json& object, const std::string& path) {
  std::string type = "bert";
  read_key(object, path, "model_type", type);
  for (const Family family : kFamilies) {
    if (family_name(family) == type) return family;
  }
  fail<MismatchError>(path, ": model_type is ", shown(type), " (expected bert, roberta or distilbert)");
}

// Without `architectures`, as some writers leave it out, the encoder is all that is known to be there.
Head read_head(const json& object, const std::string& path, Family family) {
  const json architectures = object.value("architectures", json::array());
  if (!architectures.is_array() || architectures.empty() || !architectures[0].is_string()) return Head::kNone;
  const auto name = architectures[0].get<std::string>();
  std::string known;
  for (const Head head : kHeads) {
    const std::string architecture = architecture_name(family, head);
    if (architecture == name) return head;
    if (!architecture.empty()) known += (known.empty() ? "" : ", ") + architecture;
  }
  fail<MismatchError>(path, ": architecture ", shown(name), " is not known (expected one of ", known, ")");
}

// What files of a family leave out.
BertConfig usual_config(Family family) {
  BertConfig c;
  c.family = family;
  if (family == Family::kRoberta) c.pad_token_id = 1;
  if (family == Family::kDistilBert) {
    c.type_vocab_size = 0;
    c.classifier_dropout = 0.2;
  }
  return c;
}

BertConfig read_config(const json& object, const std::string& path, Family family) {
  BertConfig c = usual_config(family);
  const ConfigKeys keys = config_keys(family);
  const auto read = [&](std::string_view key, auto& value) {
    return read_key(object, path, std::string(key).c_str(), value);
  };
  read("vocab_size", c.vocab_size);
  read(keys.hidden_size, c.hidden_size);
  read(keys.num_hidden_layers, c.num_hidden_layers);
  read(keys.num_attention_heads, c.num_attention_heads);
  read(keys.intermediate_size, c.intermediate_size);
  read("max_position_embeddings", c.max_position_embeddings);
  if (family != Family::kDistilBert) read("type_vocab_size", c.type_vocab_size);
  read("pad_token_id", c.pad_token_id);
  read(keys.hidden_act, c.hidden_act);
  // As validate may show it.
  c.hidden_act = printable(std::string_view(c.hidden_act).substr(0, kLongestName));
  read(keys.hidden_dropout_prob, c.hidden_dropout_prob);
  read(keys.attention_probs_dropout_prob, c.attention_probs_dropout_prob);
  double dropout = 0;
  if (read(keys.classifier_dropout, dropout)) c.classifier_dropout = dropout;
  if (family == Family::kDistilBert) read("qa_dropout", c.qa_dropout);
  read("layer_norm_eps", c.layer_norm_eps);
  read("initializer_range", c.initializer_range);
  validate(c, path);
  return c;
}

// Labels by number from an object of numbers as names, as Hugging Face writes it.
std::vector<std::string> read_labels(const json& object, const std::string& path, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  check<DamagedFileError>(found->is_object(), path, ": '", key, "' is not an object");
  std::vector<std::string> labels(found->size());
  for (const auto& [number, label] : found->items()) {
    size_t index = labels.size();
    const char* const end = number.data() + number.size();
    const bool is_number = std::from_chars(number.data(), end, index).ptr == end;
    check<DamagedFileError>(is_number && index < labels.size() && labels[index].empty() && label.is_string(), path,
                            ": '", key, "' holds ", shown(number), ": ", text_of(label),
                            " (expected labels numbered 0 to ", labels.size() - 1, ")");
    labels[index] = label.get<std::string>();
  }
  return labels;
}

std::vector<std::string> read_strings(const json& object, const std::string& path, const char* key) {
  std::vector<std::string> strings;
  const json list = object.value(key, json::array());
  check<DamagedFileError>(list.is_array(), path, ": '", key, "' is ", text_of(list), " (expected a list of strings)");
  for (const json& value : list) {
    check<DamagedFileError>(value.is_string(), path, ": '", key, "' holds ", text_of(value), " (expected strings)");
    strings.push_back(value.get<std::string>());
  }
  return strings;
}

// What Hugging Face's own keys say of the task.
Task task_of_head(Head head, const std::string& problem_type, size_t labels) {
  switch (head) {
    case Head::kMlm:
      return Task::kMlm;
    case Head::kMlmAndNextSentence:
      return Task::kMlmNsp;
    case Head::kNextSentence:
      return Task::kNextSentence;
    case Head::kTokens:
      return Task::kTokenClassification;
    case Head::kSpans:
      return Task::kQuestionAnswering;
    case Head::kChoice:
      return Task::kMultipleChoice;
    case Head::kIntentAndSlots:
      return Task::kIntentAndSlots;
    case Head::kNone:
      return Task::kEmbedding;
    case Head::kSequence:
      break;
  }
  if (problem_type == "multi_label_classification") return Task::kMultiLabel;
  return problem_type == "regression" || labels == 1 ? Task::kRegression : Task::kSequenceClassification;
}

TaskDescription read_task(const json& object, const std::string& path, Head head, int64_t longest) {
  TaskDescription task;
  const bool has_labels = head == Head::kSequence || head == Head::kTokens || head == Head::kIntentAndSlots;
  if (has_labels) task.labels = read_labels(object, path, "id2label");
  if (has_labels && task.labels.empty()) task.labels = {"LABEL_0", "LABEL_1"};  // as Hugging Face counts, left out
  std::string problem_type;
  read_key(object, path, "problem_type", problem_type);
  task.task = task_of_head(head, problem_type, task.labels.size());
  const json own = object.value("bertha", json::object());
  check<DamagedFileError>(own.is_object(), path, ": 'bertha' is not an object");
  task.slots = read_strings(own, path, "slots");
  task.columns.choices = read_strings(own, path, "choice_columns");
  read_key(own, path, "text_column", task.columns.text);
  read_key(own, path, "pair_column", task.columns.pair);
  read_key(own, path, "label_column", task.columns.label);
  read_key(own, path, "intent_column", task.columns.intent);
  read_key(own, path, "slots_column", task.columns.slots);
  read_key(own, path, "sequence_length", task.sequence_length);
  if (head == Head::kSpans) task.stride = usual_stride(task.sequence_length ? task.sequence_length : longest);
  read_key(own, path, "stride", task.stride);
  read_key(own, path, "unanswerable", task.unanswerable);
  check<DamagedFileError>(task.sequence_length >= 0 && task.stride >= 0, path, ": sequence_length ",
                          task.sequence_length, " and stride ", task.stride, " (neither may be negative)");
  return task;
}

void add_labels(ordered_json& config, const std::vector<std::string>& labels) {
  ordered_json to_label, to_id;
  for (size_t i = 0; i < labels.size(); ++i) {
    to_label[std::to_string(i)] = labels[i];
    to_id[labels[i]] = i;
  }
  config["id2label"] = to_label;
  config["label2id"] = to_id;
}

void add_task(ordered_json& config, const TaskDescription& task) {
  if (!task.labels.empty()) add_labels(config, task.labels);
  if (task.task == Task::kSequenceClassification) config["problem_type"] = "single_label_classification";
  if (task.task == Task::kMultiLabel) config["problem_type"] = "multi_label_classification";
  if (task.task == Task::kRegression) config["problem_type"] = "regression";
  ordered_json own = {{"task", task_name(task.task)}};
  const auto add = [&own](const char* key, const auto& value) {
    if (!value.empty()) own[key] = value;
  };
  add("slots", task.slots);
  add("text_column", task.columns.text);
  add("pair_column", task.columns.pair);
  add("label_column", task.columns.label);
  add("choice_columns", task.columns.choices);
  add("intent_column", task.columns.intent);
  add("slots_column", task.columns.slots);
  own["sequence_length"] = task.sequence_length;
  if (task.task == Task::kQuestionAnswering) own["stride"] = task.stride;
  if (task.unanswerable) own["unanswerable"] = true;
  config["bertha"] = own;
}

}  // namespace

TaskHead task_head(const ModelDescription& description) {
  return {description.head, std::ssize(description.task.labels), std::ssize(description.task.slots)};
}

bool is_for_pretraining(Head head) {
  return head == Head::kMlm || head == Head::kMlmAndNextSentence || head == Head::kNextSentence;
}

ModelDescription read_model_description(const std::string& directory) {
  verify_small_files(directory);
  const std::string path = directory + "/config.json";
  const json object = read_json(path);
  ModelDescription description;
  const Family family = read_family(object, path);
  description.head = read_head(object, path, family);
  description.config = read_config(object, path, family);
  refuse_other_kinds(object, path);
  description.task = read_task(object, path, description.head, description.config.longest_sequence());
  return description;
}

std::string config_json(const ModelDescription& description, const Tokenizer& tokenizer) {
  const BertConfig& c = description.config;
  const ConfigKeys keys = config_keys(c.family);
  ordered_json config = {{"architectures", {architecture_name(c.family, description.head)}},
                         {"model_type", family_name(c.family)},
                         {"vocab_size", c.vocab_size}};
  const auto add = [&config](std::string_view key, const auto& value) { config[std::string(key)] = value; };
  add(keys.hidden_size, c.hidden_size);
  add(keys.num_hidden_layers, c.num_hidden_layers);
  add(keys.num_attention_heads, c.num_attention_heads);
  add(keys.intermediate_size, c.intermediate_size);
  add("max_position_embeddings", c.max_position_embeddings);
  if (c.family != Family::kDistilBert) add("type_vocab_size", c.type_vocab_size);
  add(keys.hidden_act, c.hidden_act);
  add(keys.hidden_dropout_prob, c.hidden_dropout_prob);
  add(keys.attention_probs_dropout_prob, c.attention_probs_dropout_prob);
  if (c.classifier_dropout) add(keys.classifier_dropout, *c.classifier_dropout);
  if (c.family == Family::kDistilBert) add("qa_dropout", c.qa_dropout);
  if (c.family != Family::kDistilBert) add("layer_norm_eps", c.layer_norm_eps);
  add("initializer_range", c.initializer_range);
  add("pad_token_id", tokenizer.specials().pad);
  if (c.family == Family::kRoberta) {
    add("bos_token_id", tokenizer.specials().cls);
    add("eos_token_id", tokenizer.specials().sep);
  }
  add("tie_word_embeddings", true);
  add("dtype", "float32");
  if (!is_for_pretraining(description.head)) add_task(config, description.task);
  return config.dump(2) + "\n";
}

}  // namespace bertha
