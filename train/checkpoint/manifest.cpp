#include "train/checkpoint/manifest.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"

namespace bertha {
namespace {

constexpr int kFormatVersion = 1;
constexpr uint64_t kMaxManifestBytes = uint64_t{64} << 20;
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

FileRecord file_from_json(const nlohmann::json& json) {
  FileRecord file;
  file.name = json.at("name").get<std::string>();
  check<DamagedFileError>(!file.name.empty() && file.name[0] != '.' && file.name.find('/') == std::string::npos, "'",
                          file.name, "' is not the name of a file in this directory");
  file.bytes = json.at("bytes").get<uint64_t>();
  file.checksum = file.checksum_between = from_hex(json.at("checksum").get<std::string>());
  if (!json.contains("tensors")) return file;
  file.checksum_between = from_hex(json.at("checksum_between").get<std::string>());
  uint64_t end = 0;
  for (const nlohmann::json& entry : json.at("tensors")) {
    const TensorRecord tensor{entry.at("name").get<std::string>(), entry.at("offset").get<uint64_t>(),
                              entry.at("bytes").get<uint64_t>(), from_hex(entry.at("checksum").get<std::string>())};
    check<DamagedFileError>(
        tensor.offset >= end && tensor.offset <= file.bytes && tensor.bytes <= file.bytes - tensor.offset, "'",
        tensor.name, "' does not lie in '", file.name, "' behind the tensor before");
    end = tensor.offset + tensor.bytes;
    file.tensors.push_back(tensor);
  }
  return file;
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

Manifest from_json(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(std::string(checked_body(text)) + "}");
  const int version = json.at("format_version").get<int>();
  check<MismatchError>(version == kFormatVersion, "has format version ", version, " (this program reads ",
                       kFormatVersion, ")");
  Manifest manifest;
  for (const nlohmann::json& file : json.at("files")) manifest.files.push_back(file_from_json(file));
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
  if (!std::filesystem::is_regular_file(path)) return {{path, "", "is missing"}};
  return FileVerifier(path, record, scope).run();
}

void refuse_damage(const std::vector<Damage>& damage) {
  if (damage.empty()) return;
  const std::string more = damage.size() > 1 ? " (and " + std::to_string(damage.size() - 1) + " more)" : "";
  fail<DamagedFileError>(to_sentence(damage.front()), more);
}

bool has_manifest(const std::string& directory) {
  return std::filesystem::exists(std::filesystem::path(directory) / kManifestName);
}

}  // namespace

const FileRecord* Manifest::find(std::string_view name) const {
  const auto it = std::ranges::find(files, name, &FileRecord::name);
  return it == files.end() ? nullptr : &*it;
}

std::string Manifest::to_text() const {
  nlohmann::ordered_json json{{"format_version", kFormatVersion}, {"checksum_algorithm", "XXH3-64"}};
  auto& list = json["files"] = nlohmann::ordered_json::array();
  for (const FileRecord& file : files) list.push_back(file_to_json(file));
  std::string text = json.dump(2);
  text.resize(text.size() - std::string_view("\n}").size());
  return text + std::string(kTailBegin) + to_hex(checksum_of(std::as_bytes(std::span(text)))) + std::string(kTailEnd);
}

Manifest Manifest::read(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kManifestName);
  check<DamagedFileError>(std::filesystem::is_regular_file(path), path, ": is missing");
  const std::string text = read_text(path, kMaxManifestBytes);
  try {
    return from_json(text);
  } catch (const nlohmann::json::exception&) {
    fail<DamagedFileError>(path, ": is not a manifest");
  } catch (const DamagedFileError& error) {
    fail<DamagedFileError>(path, ": ", error.what());
  } catch (const MismatchError& error) {
    fail<MismatchError>(path, ": ", error.what());
  }
}

std::string to_sentence(const Damage& damage) {
  return damage.file + ": " + (damage.tensor.empty() ? "" : "tensor '" + damage.tensor + "': ") + damage.what;
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
