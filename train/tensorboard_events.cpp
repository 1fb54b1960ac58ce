#include "train/tensorboard_events.h"

#include <array>
#include <bit>
#include <chrono>
#include <fstream>
#include <optional>

#include "data/file.h"

namespace bertha {
namespace {

constexpr uint64_t kLongestRecord = uint64_t{1} << 20;

constexpr std::array<uint32_t, 256> make_crc_table() {
  constexpr uint32_t kReversedPolynomial = 0x82F63B78;
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kReversedPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

// A CRC over bytes that hold their own CRC is worthless; the format therefore stores it rotated and shifted.
uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8;
}

// ---- Protobuf's encoding: a key (field number << 3 | wire type), then the value

constexpr uint64_t kStepField = 2;

enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

template <class T>
void append_fixed(std::string& out, T value) {
  for (size_t byte = 0; byte < sizeof(T); ++byte) out += static_cast<char>(value >> (8 * byte));
}

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void append_key(std::string& out, uint64_t field, WireType type) {
  append_varint(out, field << 3 | type);
}

void append_bytes(std::string& out, uint64_t field, std::string_view bytes) {
  append_key(out, field, kLengthDelimited);
  append_varint(out, bytes.size());
  out += bytes;
}

// wall_time and step of an Event; the step is written where it is 0 too, so that every record has one to read.
std::string event(double wall_time, int64_t step) {
  std::string out;
  append_key(out, 1, kFixed64);
  append_fixed(out, std::bit_cast<uint64_t>(wall_time));
  append_key(out, kStepField, kVarint);
  append_varint(out, static_cast<uint64_t>(step));
  return out;
}

// A Summary.Value: tag and simple_value.
std::string summary_value(std::string_view tag, double number) {
  std::string out;
  append_bytes(out, 1, tag);
  append_key(out, 2, kFixed32);
  append_fixed(out, std::bit_cast<uint32_t>(static_cast<float>(number)));
  return out;
}

// ---- Reading

template <class T>
T fixed_at(std::string_view bytes, size_t at) {
  T value = 0;
  for (size_t byte = 0; byte < sizeof(T); ++byte) {
    value |= static_cast<T>(static_cast<uint8_t>(bytes[at + byte])) << (8 * byte);
  }
  return value;
}

// The data of the record that begins here; none where it is torn or damaged.
std::optional<std::string> next_record(std::istream& file) {
  constexpr size_t kHeadBytes = 12, kTailBytes = 4;
  std::string record(kHeadBytes, '\0');
  if (!file.read(record.data(), kHeadBytes)) return std::nullopt;
  const auto length = fixed_at<uint64_t>(record, 0);
  if (length > kLongestRecord) return std::nullopt;
  record.resize(kHeadBytes + length + kTailBytes);
  if (!file.read(&record[kHeadBytes], static_cast<std::streamsize>(length + kTailBytes))) return std::nullopt;
  std::string data = record.substr(kHeadBytes, length);
  return tf_record(data) == record ? std::optional(std::move(data)) : std::nullopt;
}

// The step of an Event as `event` begins it.
std::optional<int64_t> step_of(std::string_view data) {
  constexpr size_t kKeyAt = 1 + sizeof(uint64_t);  // behind wall_time and its key
  if (data.size() <= kKeyAt || data[kKeyAt] != static_cast<char>(kStepField << 3 | kVarint)) return std::nullopt;
  uint64_t step = 0;
  size_t bits = 0;
  for (size_t at = kKeyAt + 1; at < data.size() && bits < 64; ++at, bits += 7) {
    const auto byte = static_cast<uint8_t>(data[at]);
    step |= static_cast<uint64_t>(byte & 0x7F) << bits;
    if (byte < 0x80) return static_cast<int64_t>(step);
  }
  return std::nullopt;
}

// Bytes of `path` that hold whole records of steps up to `step`, from the front.
int64_t bytes_to_keep(const std::string& path, int64_t step) {
  if (!path_exists(path)) return 0;
  const InputFile regular(path);  // or an error, where anything else would be waited for
  std::ifstream file(path, std::ios::binary);
  int64_t kept = 0;
  while (const auto data = next_record(file)) {
    const auto found = step_of(*data);
    if (!found || *found > step) break;
    kept += static_cast<int64_t>(tf_record(*data).size());
  }
  return kept;
}

std::string version_event(double wall_time) {
  std::string out = event(wall_time, 0);
  append_bytes(out, 3, "brain.Event:2");
  return out;
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

std::string tf_record(std::string_view data) {
  std::string record;
  append_fixed(record, static_cast<uint64_t>(data.size()));
  append_fixed(record, masked_crc32c(record));
  record += data;
  append_fixed(record, masked_crc32c(data));
  return record;
}

std::string scalar_event(double wall_time, int64_t step, std::string_view tag_prefix, NamedNumbers numbers) {
  std::string summary;
  for (const auto& [name, number] : numbers) {
    append_bytes(summary, 1, summary_value(std::string(tag_prefix) + "/" + name, number));
  }
  std::string out = event(wall_time, step);
  append_bytes(out, 5, summary);
  return out;
}

EventFile::EventFile(const std::string& path, int64_t step) : file_(path, bytes_to_keep(path, step)) {
  if (file_.empty()) file_.append(tf_record(version_event(wall_time())));
}

void EventFile::write(int64_t step, std::string_view tag_prefix, NamedNumbers numbers) {
  file_.append(tf_record(scalar_event(wall_time(), step, tag_prefix, numbers)));
}

}  // namespace bertha
