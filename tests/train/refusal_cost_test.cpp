// What it takes to refuse a file that was made to take much: at most four times its size and 16 MiB of memory, and time
// linear in its size.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/hdf5_table.h"
#include "data/shard_manifest.h"
#include "data/tasks/conll.h"
#include "data/tasks/squad.h"
#include "data/tasks/table.h"
#include "data/text_file.h"
#include "data/tokenizer.h"
#include "data/tokenizer_files.h"
#include "data/vocabulary.h"
#include "tests/temporary_directory.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/safetensors.h"
#include "train/checkpoint/stored_weights.h"
#include "train/checkpoint/training_state.h"
#include "train/metrics_reader.h"
#include "train/model_description.h"
#include "train/pretrain_config.h"

namespace bertha {
namespace {

constexpr size_t kSmall = size_t{1} << 19, kLarge = size_t{4} << 20;

std::string repeated(std::string_view piece, size_t bytes) {
  std::string text;
  text.reserve(bytes + piece.size());
  while (text.size() < bytes) text += piece;
  return text;
}

/// Pieces with numbers in them, so that no two are equal.
std::string numbered(const std::function<std::string(const std::string& number)>& piece, size_t bytes) {
  std::string text;
  text.reserve(bytes + 100);
  for (int64_t i = 0; text.size() < bytes; ++i) text += piece(std::to_string(i));
  return text;
}

std::string with_length(const std::string& header) {
  const uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header;
}

std::string with_checksum(const std::string& body) {
  return body + ",\n  \"checksum\": \"" + to_hex(checksum_of(std::as_bytes(std::span(body)))) + "\"\n}\n";
}

struct Attack {
  std::string name, file;
  std::function<std::string(size_t bytes)> content;
  std::function<void(const std::string& path)> read;
  size_t large = kLarge;  // as large as its reader lets it be
};

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path();
}

void read_safetensors(const std::string& path) {
  SafetensorsFile{path};
}
void read_vocabulary(const std::string& path) {
  Vocabulary::read(path);
}
void read_any_tokenizer(const std::string& path) {
  read_tokenizer(path);
}
void read_additions(const std::string& path) {
  read_added_tokens(folder_of(path));
}
void read_weights(const std::string& path) {
  StoredWeights{path};
}
void read_table(const std::string& path) {
  Table::read(path);
}
void read_lines(const std::string& path) {
  const auto text = open_text(path);
  std::vector<char> buffer(1 << 16);
  while (text->read(buffer) == buffer.size()) {
  }
}
void read_config(const std::string& path) {
  load_pretrain_config(path, {});
}
void read_checkpoint_manifest(const std::string& path) {
  Manifest::read(folder_of(path));
}
void read_training_state(const std::string& path) {
  TrainingStateFile{folder_of(path)};
}
void read_shard_manifest(const std::string& path) {
  read_manifest(path);
}
void read_model(const std::string& path) {
  read_model_description(folder_of(path));
}

void read_history(const std::string& path) {
  MetricsReader history(folder_of(path));
  history.read([](const MetricsLine&) {});
  check<DamagedFileError>(history.damaged_lines() == 0, path, ": is damaged");
}

/// As write_manifest writes it, with a right checksum: one shard whose lengths have chunks of nothing.
std::string manifest_of_chunks(size_t bytes) {
  constexpr size_t kChunkBytes = std::string_view("[0,0],").size();
  const ShardSettings settings{.sequence_length = 128, .vocabulary_size = 1, .shards = 1};
  const ShardRecord record{.file = shard_file_name(0),
                           .data_sets = {{"lengths", std::vector<Extent>(bytes / kChunkBytes), 0}}};
  const TemporaryDirectory folder;
  write_manifest(folder / "manifest.json", {settings, {record}, {0}});
  return read_text(folder / "manifest.json", UINT64_MAX);
}

/// Of one file with tensors of nothing.
std::string manifest_of_tensors(size_t bytes) {
  constexpr size_t kTensorBytes = 125;
  FileRecord record;
  record.name = "training_state.h5";
  for (size_t i = 0; i < bytes / kTensorBytes; ++i) record.tensors.push_back({std::to_string(i), 0, 0, 0});
  return Manifest{{record}}.to_text();
}

std::vector<Attack> attacks() {
  const auto all = [](std::string piece) { return [piece](size_t n) { return repeated(piece, n); }; };
  const auto framed = [](std::string front, std::string piece, std::string back) {
    return [=](size_t n) { return front + repeated(piece, n) + back; };
  };
  const auto counted = [](std::string front, std::string before, std::string behind, std::string back) {
    return [=](size_t n) {
      return front + numbered([&](const std::string& number) { return before + number + behind; }, n) + back;
    };
  };
  const auto header = [](auto content) { return [content](size_t n) { return with_length(content(n)); }; };
  const std::string entry = R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
  constexpr size_t kConfig = size_t{1} << 20, kYaml = size_t{1} << 16, kManifest = size_t{2} << 20,
                   kShards = size_t{32} << 20;

  return {
      {"nested lists", "a.safetensors", header(framed("{\"a\":", "[", "")), read_safetensors},
      {"one endless name", "a.safetensors", header(framed("{\"", "a", "")), read_safetensors},
      {"many tensors", "a.safetensors", header(counted("{", "\"", entry, "\"a\":1}")), read_safetensors},
      {"many keys", "a.safetensors", header(counted("{\"__metadata__\":{", "\"", "\":\"\",", "\"a\":1}}")),
       read_safetensors},
      {"many dimensions", "a.safetensors", header(framed(R"({"a":{"shape":[)", "0,", "")), read_safetensors},
      {"a promise of 2^60 elements", "a.safetensors",
       [](size_t) {
         return with_length(
             R"({"a":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}})");
       },
       read_safetensors},
      {"a promise of a large header", "a.safetensors", [](size_t n) { return "\xFF\xE0\xF5\5" + std::string(n, '\0'); },
       read_safetensors},

      {"nested lists", "MANIFEST.json", [](size_t n) { return with_checksum("{\"a\": " + repeated("[", n)); },
       read_checkpoint_manifest, kManifest},
      {"empty lists", "MANIFEST.json", [](size_t n) { return with_checksum("{\"a\": [" + repeated("[],", n) + "[]]"); },
       read_checkpoint_manifest, kManifest},
      {"many files", "MANIFEST.json",
       [](size_t n) {
         return with_checksum(R"({"format_version":1,"files":[)" +
                              repeated(R"({"name":"a","bytes":0,"checksum":"0123456789abcdef"},)", n) + "{}]");
       },
       read_checkpoint_manifest, kManifest},
      {"many tensors", "MANIFEST.json", manifest_of_tensors, read_training_state, kManifest},

      {"nested lists", "metrics.jsonl", all("["), read_history},
      {"lines of nested lists", "metrics.jsonl", all(std::string(16000, '[') + "\n"), read_history},
      {"lines of many keys", "metrics.jsonl",
       all("{" + numbered([](const std::string& number) { return "\"" + number + "\":1,"; }, 15000) + "\"a\":[}\n"),
       read_history},

      {"nested lists", "manifest.json", all("["), read_shard_manifest},
      {"empty lists", "manifest.json", framed("{\"a\":[", "[],", "1]}"), read_shard_manifest},
      {"many counts", "manifest.json", framed(R"({"token_counts":[)", "0,", "0]}"), read_shard_manifest, kShards},
      {"many chunks of nothing", "manifest.json",
       framed(R"({"shards":[{"data_sets":{"a":{"chunks":[)", "[0,0],", "[0,0]]}}}]}"), read_shard_manifest, kShards},
      {"many chunks with a right checksum", "manifest.json", manifest_of_chunks, read_shard_manifest, kShards},
      {"many data sets", "manifest.json", counted(R"({"shards":[{"data_sets":{)", "\"", "\":{},", "\"a\":{}}}]}"),
       read_shard_manifest, kShards},
      {"many chunks", "manifest.json",
       counted(R"({"shards":[{"data_sets":{"a":{"chunks":[)", "[", ",1],", "[0,0]]}}}]}"), read_shard_manifest},
      {"many shards", "manifest.json", framed(R"({"shards":[)", "{},", "1]}"), read_shard_manifest},
      {"many members of a shard", "manifest.json", framed(R"({"shards":[{)", R"("file":"",)", R"("a":1}]})"),
       read_shard_manifest},

      {"one endless line", "vocab.txt", all("a"), read_vocabulary},
      {"empty lines", "vocab.txt", all("\n"), read_vocabulary},
      {"many tokens and none of BERT's", "vocab.txt", counted("", "", "\n", ""), read_vocabulary},
      {"a token twice", "vocab.txt", counted("0\n", "", "\n", ""), read_vocabulary},

      {"nested lists", "tokenizer.json", framed("{\"a\":", "[", ""), read_any_tokenizer},
      {"empty lists", "tokenizer.json", framed("{\"a\":[", "[],", "1]}"), read_any_tokenizer},
      {"many names", "tokenizer.json", counted("{", "\"", "\":1,", "\"a\":1}"), read_any_tokenizer},
      {"a name twice", "tokenizer.json", counted("{\"0\":1,", "\"", "\":1,", "\"a\":1}"), read_any_tokenizer},
      {"many tokens without ids", "tokenizer.json", counted("{\"model\":{\"vocab\":{", "\"", "\":1,", "\"a\":1}}}"),
       read_any_tokenizer},
      {"many merges of nothing", "tokenizer.json",
       framed(R"({"model":{"vocab":{"a":0},"merges":[)", "\"\",", "\"\"]}}"), read_any_tokenizer},
      {"many added tokens", "tokenizer.json", framed(R"({"model":{"vocab":{"a":0}},"added_tokens":[)", "{},", "{}]}"),
       read_any_tokenizer},

      {"many added tokens", "added_tokens.json", counted("{", "\"", "\":0,", "\"a\":0}"), read_additions},
      {"many special tokens", "special_tokens_map.json", framed(R"({"additional_special_tokens":[)", "\"\",", "1]}"),
       read_additions},
      {"many decoded tokens", "tokenizer_config.json",
       counted(R"({"added_tokens_decoder":{)", "\"", "\":{},", "\"a\":{}}}"), read_additions},

      {"empty lists", "model.safetensors.index.json", framed("{\"a\":[", "[],", "[]]}"), read_weights, kManifest},
      {"many tensors", "model.safetensors.index.json",
       counted(R"({"weight_map":{)", "\"", "\":\".safetensors\",", "\"a\":\".safetensors\"}}"), read_weights,
       kManifest},

      {"nested lists", "config.json", framed("{\"vocab_size\":", "[", ""), read_model, kConfig},
      {"empty lists", "config.json", framed("{\"vocab_size\":[", "[],", "1]}"), read_model, kConfig},
      {"many labels", "config.json",
       counted(R"({"architectures":["BertForTokenClassification"],"id2label":{)", "\"a", "\":\"\",", "\"a\":1}}"),
       read_model, kConfig},

      {"nested lists", "a.yaml", framed("a: ", "[", ""), read_config, kYaml},
      {"nested maps", "a.yaml", framed("a: ", "{a: ", ""), read_config, kYaml},
      {"nested blocks", "a.yaml", all("- "), read_config, kYaml},
      {"aliases", "a.yaml", counted("a: &a [1]\n", "b", ": [*a, *a, *a]\n", ""), read_config, kYaml},
      {"many elements", "a.yaml", framed("a: [", "1,", "1]"), read_config, kYaml},
      {"many keys", "a.yaml", counted("", "k", ": 1\n", ""), read_config, kYaml},
      {"one endless word", "a.yaml", all("a"), read_config, kYaml},
      {"one endless text", "a.yaml", framed("a: \"", "a\\n", ""), read_config, kYaml},
      {"words on many lines", "a.yaml", all("a\n"), read_config, kYaml},
      {"comments", "a.yaml", all("#\n"), read_config, kYaml},
      {"tabs", "a.yaml", all("\t"), read_config, kYaml},
      {"question marks", "a.yaml", all("? "), read_config, kYaml},

      {"nested lists", "a.json", all("["), [](const std::string& path) { read_squad(path); }},
      {"many questions and no end", "a.json",
       counted(R"({"data":[{"paragraphs":[{"context":"a","qas":[)", R"({"id":")", R"(","question":"","answers":[]},)",
               ""),
       [](const std::string& path) { read_squad(path); }},
      {"many answers and no end", "a.json",
       framed(R"({"data":[{"paragraphs":[{"context":"a","qas":[{"id":"","question":"","answers":[)",
              R"({"text":"a","answer_start":0},)", ""),
       [](const std::string& path) { read_squad(path); }},
      {"answers that stand nowhere", "a.json",
       [](size_t n) {
         const std::string answer = R"({"text":")" + std::string(500, 'a') + R"(b","answer_start":0},)";
         return R"({"data":[{"paragraphs":[{"context":")" + std::string(n / 2, 'a') +
                R"(","qas":[{"id":"","question":"","answers":[)" + repeated(answer, n / 2) +
                R"({"text":"a","answer_start":0}]}]}]}]})";
       },
       [](const std::string& path) { read_squad(path); }},
      {"one endless word", "a.conll", all("a"), [](const std::string& path) { read_conll(path); }},
      {"many words and one without a tag", "a.conll", framed("", "a O\n", "a\n"),
       [](const std::string& path) { read_conll(path); }},
      {"many sentences and a word without a tag", "a.conll", framed("", "a O\n\n", "a\n"),
       [](const std::string& path) { read_conll(path); }},
      {"many columns", "a.tsv", all("\t"), read_table},
      {"many empty cells and a row of three", "a.tsv", framed("a\tb\n", "\t\n", "a\tb\tc\n"), read_table},
      {"many columns", "a.csv", all(","), read_table},
      {"a quote that is never closed", "a.csv", framed("a,b\n\"", "\n", ""), read_table},
      {"doubled quotes", "a.csv", framed("a,b\n\"", "\"\"", ""), read_table},
      {"many members", "a.jsonl", counted("{", "\"", "\":1,", "\"a\":1}\n"), read_table},
      {"many elements", "a.jsonl", framed("{\"a\":[", "1,", "1]}\n"), read_table},
      {"nested lists", "a.jsonl", framed("{\"a\":", "[", "\n"), read_table},
      {"many rows and one without an end", "a.jsonl", framed("", "{\"a\":1}\n", "{"), read_table},
      {"nested lists", "text.jsonl", framed("{\"a\":", "[", "\n"), read_lines},
      {"one endless text", "text.jsonl", framed("{\"text\":\"", "a", ""), read_lines},
      {"zeros", "a.hdf5", [](size_t n) { return std::string(n, '\0'); },
       [](const std::string& path) { Hdf5Tables{path}; }},
      {"a signature and zeros", "a.hdf5", [](size_t n) { return "\x89HDF\r\n\x1a\n" + std::string(n, '\0'); },
       [](const std::string& path) { Hdf5Tables{path}; }},
  };
}

struct Cost {
  double bytes, seconds;
  bool refused;
};

double value_of_status(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size())) * 1024;
  return 0;
}

double processor_seconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Cost measure(const std::function<void()>& read) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const double before = value_of_status("VmRSS:"), begin = processor_seconds();
  bool refused = false;
  try {
    read();
  } catch (const ConfigError&) {
    refused = true;
  } catch (const DamagedFileError&) {
    refused = true;
  } catch (const MismatchError&) {
    refused = true;
  }
  return {value_of_status("VmHWM:") - before, processor_seconds() - begin, refused};
}

/// In a process of its own, for memory that was used once is not given back.
Cost cost_of(const Attack& attack, const std::string& path) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    const Cost cost = measure([&] { attack.read(path); });
    const bool told = write(ends[1], &cost, sizeof cost) == sizeof cost;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Cost cost{};
  const bool heard = read(ends[0], &cost, sizeof cost) == sizeof cost;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(heard && status == 0) << attack.file << ": " << attack.name << " ends the process";
  return cost;
}

bool counts_memory() {
#if defined(__SANITIZE_ADDRESS__)
  return false;  // which sets memory aside for itself
#else
  return true;
#endif
}

TEST(RefusalCost, IsFourTimesTheFileInMemoryAndLinearInTime) {
  constexpr double kSlack = 16 << 20, kTimes = 4;
  constexpr double kSteepest = 3;         // times the growth of the file; a machine has other things to do
  constexpr double kUnnoticeable = 0.25;  // seconds
  const TemporaryDirectory folder;
  for (const Attack& attack : attacks()) {
    const std::string where = attack.file + ": " + attack.name;
    const std::string path = folder / attack.file;
    std::array<Cost, 2> costs{};
    const std::array<size_t, 2> sizes = {attack.large / (kLarge / kSmall), attack.large - 200};
    for (size_t i = 0; i < 2; ++i) {
      const std::string content = attack.content(sizes[i]);
      std::ofstream(path, std::ios::binary) << content;
      costs[i] = cost_of(attack, path);
      EXPECT_TRUE(costs[i].refused) << where;
      if (counts_memory()) {
        EXPECT_LE(costs[i].bytes, kTimes * static_cast<double>(content.size()) + kSlack)
            << where << ": " << costs[i].bytes / static_cast<double>(content.size()) << " times its " << content.size()
            << " bytes";
      }
    }
    const double growth = static_cast<double>(sizes[1]) / static_cast<double>(sizes[0]);
    EXPECT_LE(costs[1].seconds, kSteepest * growth * costs[0].seconds + kUnnoticeable)
        << where << ": " << costs[0].seconds << " s, then " << costs[1].seconds;
    std::filesystem::remove(path);
  }
}

}  // namespace
}  // namespace bertha
