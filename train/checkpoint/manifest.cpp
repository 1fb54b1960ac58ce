#include "train/checkpoint/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/json_reader.h"
#include "data/printable.h"
#include "data/shown.h"

namespace bertha {
namespace {

constexpr std::string_view kNoManifest = "is not a manifest";
constexpr uint64_t kMaxManifestBytes = uint64_t{2} << 20;  // of thousands of tensors with their moments
constexpr std::string_view kTailBegin = ",\n  \"checksum\": \"";
constexpr std::string_view kTailEnd = "\"\n}\n";

nlohmann::ordered_json file_to_json(const FileRecord& file) {
  nlohmann::ordered_json json{{"name", file.name}, {"bytes", file.bytes}, {"checksum", to_hex(file.checksum)}};
  if (file.tensors.empty()) return json;
  json["checksum_between"] = to_hex(file.checksum_between);
  auto& tensors = json["tensors"] = nlohmann::ordered_json::array();
  for (const TensorRecord& tensor : file.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"offset", tensor.offset},
                       {"bytes", tensor.bytes},
                       {"checksum", to_hex(tensor.checksum)}});
  }
  return json;
}

TensorRecord read_tensor(JsonReader& reader) {
  TensorRecord tensor;
  reader.object([&](const std::string& key) {
    if (key == "name") {
      tensor.name = reader.text();
    } else if (key == "offset") {
      tensor.offset = reader.count();
    } else if (key == "bytes") {
      tensor.bytes = reader.count();
    } else if (key == "checksum") {
      tensor.checksum = from_hex(reader.text());
    } else {
      reader.skip();
    }
  });
  return tensor;
}

FileRecord read_file(JsonReader& reader) {
  FileRecord file;
  reader.object([&](const std::string& key) {
    if (key == "name") {
      file.name = reader.text();
    } else if (key == "bytes") {
      file.bytes = reader.count();
    } else if (key == "checksum") {
      file.checksum = from_hex(reader.text());
    } else if (key == "checksum_between") {
      file.checksum_between = from_hex(reader.text());
    } else if (key == "tensors") {
      reader.array([&] { file.tensors.push_back(read_tensor(reader)); });
    } else {
      reader.skip();
    }
  });
  if (file.tensors.empty()) file.checksum_between = file.checksum;
  return file;
}

/// So that every file is read once, and a tensor is the one that was meant.
void check_names_differ(const auto& records) {
  std::vector<std::string_view> names;
  for (const auto& record : records) names.push_back(record.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  check<DamagedFileError>(twice == names.end(), "lists ", twice == names.end() ? "" : shown(*twice), " twice");
}

void check_file(const FileRecord& file) {
  constexpr size_t kLongestName = 255;
  const bool is_name = !file.name.empty() && file.name.size() <= kLongestName && file.name[0] != '.' &&
                       file.name.find('/') == std::string::npos && printable(file.name) == file.name;
  check<DamagedFileError>(is_name, shown(file.name), " is not the name of a file in this directory");
  uint64_t end = 0;
  for (const TensorRecord& tensor : file.tensors) {
    check<DamagedFileError>(
        tensor.offset >= end && tensor.offset <= file.bytes && tensor.bytes <= file.bytes - tensor.offset,
        shown(tensor.name), " does not lie in ", shown(file.name), " behind the tensor before");
    end = tensor.offset + tensor.bytes;
  }
  check_names_differ(file.tensors);
}

// The text before the final checksum, once that checksum is right.
std::string_view checked_body(std::string_view text) {
  constexpr size_t kTail = kTailBegin.size() + kHexDigits + kTailEnd.size();
  check<DamagedFileError>(text.size() >= kTail, "has ", text.size(), " bytes, too few to be whole");
  const std::string_view body = text.substr(0, text.size() - kTail);
  const std::string tail =
      std::string(kTailBegin).append(to_hex(checksum_of(std::as_bytes(std::span(body))))).append(kTailEnd);
  check<DamagedFileError>(text.substr(body.size()) == tail, "does not end in the checksum of its content");
  return body;
}

uint64_t read_version(std::string_view body) {
  std::optional<uint64_t> version;
  JsonReader reader(body, kNoManifest);
  reader.object([&](const std::string& key) {
    if (key == "format_version") {
      version = reader.count();
    } else {
      reader.skip();
    }
  });
  check<DamagedFileError>(version.has_value(), kNoManifest, ": has no format_version");
  return *version;
}

/// Throws sentences that do not name the file.
Manifest from_text(std::string_view text) {
  const std::string body = std::string(checked_body(text)) + "}";
  check_json(body, kNoManifest);
  const uint64_t version = read_version(body);
  check<MismatchError>(version == kManifestVersion, "has format version ", version, " (this program reads ",
                       kManifestVersion, ")");
  Manifest manifest;
  JsonReader reader(body, kNoManifest);
  reader.object([&](const std::string& key) {
    if (key == "files") {
      reader.array([&] { manifest.files.push_back(read_file(reader)); });
    } else {
      reader.skip();
    }
  });
  for (const FileRecord& file : manifest.files) check_file(file);
  check_names_differ(manifest.files);
  check<DamagedFileError>(manifest.to_text() == text, kNoManifest, ": not as this program writes it");
  return manifest;
}

enum class Scope { kEverything, kBetweenTensors };

/// Reads a file piece by piece, tensors and what lies between them, and compares checksums.
class FileVerifier {
 public:
  FileVerifier(const std::string& path, const FileRecord& record, Scope scope)
      : file_(path), record_(record), scope_(scope), block_(std::min(kBlock, record.bytes)) {}

  std::vector<Damage> run() && {
    if (!check_size()) return std::move(damage_);
    uint64_t end = 0;
    for (const TensorRecord& tensor : record_.tensors) {
      read(end, tensor.offset, between_);
      if (scope_ == Scope::kEverything) check_tensor(tensor);
      end = tensor.offset + tensor.bytes;
    }
    read(end, record_.bytes, between_);
    const uint64_t between = between_.value();
    const bool tensors_are_whole = damage_.empty();
    if (between != record_.checksum_between) {
      report("", record_.tensors.empty() ? "has" : "outside its tensors has", between, record_.checksum_between);
    } else if (scope_ == Scope::kEverything && tensors_are_whole && whole_.value() != record_.checksum) {
      report("", "has", whole_.value(), record_.checksum);
    }
    return std::move(damage_);
  }

 private:
  static constexpr uint64_t kBlock = uint64_t{1} << 20;

  bool check_size() {
    if (file_.size() == record_.bytes) return true;
    std::ostringstream what;
    what << "has " << file_.size() << " bytes (" << record_.bytes << " were written)";
    const auto lost = std::ranges::find_if(
        record_.tensors, [&](const TensorRecord& tensor) { return tensor.offset + tensor.bytes > file_.size(); });
    damage_.push_back({file_.path(), lost == record_.tensors.end() ? "" : lost->name, what.str()});
    return false;
  }

  void check_tensor(const TensorRecord& tensor) {
    Checksum own;
    read(tensor.offset, tensor.offset + tensor.bytes, own);
    if (own.value() != tensor.checksum) report(tensor.name, "has", own.value(), tensor.checksum);
  }

  void read(uint64_t begin, uint64_t end, Checksum& checksum) {
    while (begin < end) {
      const std::span<std::byte> part(block_.data(), std::min(kBlock, end - begin));
      file_.read(begin, part);
      checksum.update(part);
      if (scope_ == Scope::kEverything) whole_.update(part);
      begin += part.size();
    }
  }

  void report(const std::string& tensor, std::string_view where, uint64_t found, uint64_t expected) {
    damage_.push_back({file_.path(), tensor,
                       std::string(where) + " checksum " + to_hex(found) + " (" + to_hex(expected) + " was written)"});
  }

  InputFile file_;
  const FileRecord& record_;
  Scope scope_;
  Checksum whole_, between_;
  std::vector<std::byte> block_;
  std::vector<Damage> damage_;
};

std::vector<Damage> find_damage_within(const std::string& directory, const FileRecord& record, Scope scope) {
  const std::string path = directory + "/" + record.name;
  if (const std::string why = why_no_file(path); !why.empty()) return {{path, "", why}};
  return FileVerifier(path, record, scope).run();
}

void refuse_damage(const std::vector<Damage>& damage) {
  if (damage.empty()) return;
  const std::string more = damage.size() > 1 ? " (and " + std::to_string(damage.size() - 1) + " more)" : "";
  fail<DamagedFileError>(to_sentence(damage.front()), more);
}

bool has_manifest(const std::string& directory) {
  return path_exists(directory + "/" + std::string(kManifestName));
}

}  // namespace

const FileRecord* Manifest::find(std::string_view name) const {
  const auto it = std::ranges::find(files, name, &FileRecord::name);
  return it == files.end() ? nullptr : &*it;
}

std::string Manifest::to_text() const {
  nlohmann::ordered_json json{{"format_version", kManifestVersion}, {"checksum_algorithm", "XXH3-64"}};
  auto& list = json["files"] = nlohmann::ordered_json::array();
  for (const FileRecord& file : files) list.push_back(file_to_json(file));
  std::string text = json.dump(2);
  text.resize(text.size() - std::string_view("\n}").size());
  return text + std::string(kTailBegin) + to_hex(checksum_of(std::as_bytes(std::span(text)))) + std::string(kTailEnd);
}

Manifest Manifest::read(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kManifestName);
  const std::string why = why_no_file(path);
  check<DamagedFileError>(why.empty(), path, ": ", why);
  const std::string text = read_text(path, kMaxManifestBytes);
  try {
    return from_text(text);
  } catch (const DamagedFileError& error) {
    fail<DamagedFileError>(path, ": ", error.what());
  } catch (const MismatchError& error) {
    fail<MismatchError>(path, ": ", error.what());
  }
}

std::string to_sentence(const Damage& damage) {
  return damage.file + ": " + (damage.tensor.empty() ? "" : "tensor " + shown(damage.tensor) + ": ") + damage.what;
}

std::vector<Damage> find_damage(const std::string& directory) {
  std::vector<Damage> damage;
  for (const FileRecord& record : Manifest::read(directory).files) {
    std::ranges::move(find_damage(directory, record), std::back_inserter(damage));
  }
  return damage;
}

std::vector<Damage> find_damage(const std::string& directory, const FileRecord& record) {
  return find_damage_within(directory, record, Scope::kEverything);
}

void verify_directory(const std::string& directory) {
  refuse_damage(find_damage(directory));
}

void verify_file(const std::string& directory, const FileRecord& record) {
  refuse_damage(find_damage(directory, record));
}

std::optional<FileRecord> record_of(const std::string& directory, std::string_view name) {
  if (!has_manifest(directory)) return std::nullopt;
  const Manifest manifest = Manifest::read(directory);
  const FileRecord* record = manifest.find(name);
  return record ? std::optional(*record) : std::nullopt;
}

void verify_small_files(const std::string& directory) {
  if (!has_manifest(directory)) return;
  for (const FileRecord& record : Manifest::read(directory).files) {
    if (!record.tensors.empty()) continue;
    const std::vector<Damage> damage = find_damage(directory, record);
    if (damage.empty()) continue;
    fail<DamagedFileError>(to_sentence(damage.front()), "; where that is on purpose, remove ", kManifestName);
  }
}

void verify_between_tensors(const std::string& directory, const FileRecord& record) {
  refuse_damage(find_damage_within(directory, record, Scope::kBetweenTensors));
}

}  // namespace bertha
