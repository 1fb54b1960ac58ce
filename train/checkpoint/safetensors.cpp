#include "train/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "autograd/core/error.h"
#include "data/json_reader.h"
#include "data/shown.h"

namespace bertha {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
// Of what a header might hold a million, at many times its size in memory.
constexpr size_t kMaxMetadata = 10'000;
constexpr size_t kMaxRank = 64;
constexpr size_t kLeastTensorBytes = 50;  // in the header

struct DTypeSize {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array kDTypes = std::to_array<DTypeSize>({
    {"F64", 8},
    {"F32", 4},
    {"F16", 2},
    {"BF16", 2},
    {"I64", 8},
    {"I32", 4},
    {"I16", 2},
    {"I8", 1},
    {"U64", 8},
    {"U32", 4},
    {"U16", 2},
    {"U8", 1},
    {"BOOL", 1},
    {"C64", 8},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
    {"F8_E8M0", 1},
});

/// Reads the header's one permitted form and nothing else, so that a hostile one costs no memory beyond its own size.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const std::string& path, size_t header_bytes) : path_(path) {
    tensors.reserve(header_bytes / kLeastTensorBytes);
  }

  std::vector<StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  bool start_object(size_t) override {
    if (place_ == Place::kStart) return enter(Place::kNames);
    if (place_ != Place::kNames) refuse("an object");
    if (name_ == "__metadata__") {
      if (std::exchange(has_metadata_, true)) fail<DamagedFileError>(path_, ": duplicate '__metadata__' in the header");
      return enter(Place::kMetadata);
    }
    tensor_ = {};
    offsets_.clear();
    fields_ = 0;
    return enter(Place::kTensor);
  }

  bool key(std::string& key) override {
    if (place_ == Place::kNames) {
      name_ = std::move(key);
      return true;
    }
    if (place_ == Place::kMetadata) {
      if (metadata.contains(key)) fail<DamagedFileError>(path_, ": duplicate key ", shown(key), " in '__metadata__'");
      if (metadata.size() == kMaxMetadata) {
        fail<DamagedFileError>(path_, ": '__metadata__' has more than ", kMaxMetadata, " keys");
      }
    } else {
      const auto known = std::ranges::find(kFields, key);
      const unsigned field = 1u << (known - kFields.begin());
      if (known == kFields.end() || (fields_ & field) != 0) {
        fail<DamagedFileError>(path_, ": ", shown(name_), " has ",
                               known == kFields.end() ? "an unknown key" : "two keys", " ", shown(key),
                               " (expected dtype, shape and data_offsets, once each)");
      }
      fields_ |= field;
    }
    field_ = std::move(key);
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::kMetadata) {
      metadata.emplace(std::move(field_), std::move(value));
    } else if (place_ == Place::kTensor && field_ == "dtype") {
      tensor_.dtype = std::move(value);
    } else {
      refuse("a string");
    }
    return true;
  }

  bool start_array(size_t) override {
    if (place_ == Place::kTensor && field_ == "shape") return enter(Place::kShape);
    if (place_ == Place::kTensor && field_ == "data_offsets") return enter(Place::kOffsets);
    refuse("an array");
  }

  bool number_unsigned(uint64_t value) override {
    if (place_ == Place::kShape && value <= INT64_MAX && tensor_.shape.size() < kMaxRank) {
      tensor_.shape.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::kOffsets && offsets_.size() < 2) {
      offsets_.push_back(value);
    } else {
      refuse("a number");
    }
    return true;
  }

  bool end_array() override { return enter(Place::kTensor); }

  bool end_object() override {
    if (place_ == Place::kNames) return enter(Place::kEnd);
    if (place_ == Place::kTensor) finish_tensor();
    return enter(Place::kNames);
  }

  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("a boolean"); }
  bool number_integer(int64_t) override { refuse("a negative number"); }
  bool number_float(double, const std::string&) override { refuse("a fraction"); }
  bool binary(binary_t&) override { refuse("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail<DamagedFileError>(path_, ": the header is not valid JSON from its byte ", position, " on");
  }

 private:
  enum class Place { kStart, kNames, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool enter(Place place) {
    place_ = place;
    return true;
  }

  [[noreturn]] void refuse(std::string_view found) const {
    fail<DamagedFileError>(path_, ": ", found, " where the header may not have one, at ", shown(name_));
  }

  // Offsets stay relative to the data until the header's length is added.
  void finish_tensor() {
    check<DamagedFileError>(fields_ == kAllFields && offsets_.size() == 2 && offsets_[0] <= offsets_[1], path_, ": ",
                            shown(name_), " needs dtype, shape and two ascending data_offsets");
    const auto dtype = std::ranges::find(kDTypes, tensor_.dtype, &DTypeSize::name);
    check<DamagedFileError>(dtype != kDTypes.end(), path_, ": ", shown(name_), " has unknown dtype ",
                            shown(tensor_.dtype));
    uint64_t bytes = dtype->bytes;
    int64_t elements = 1;
    for (const int64_t dim : tensor_.shape) {
      const bool overflows = __builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes) ||
                             __builtin_mul_overflow(elements, dim, &elements);
      check<DamagedFileError>(!overflows, path_, ": ", shown(name_), " has a shape whose size overflows");
    }
    tensor_.offset = offsets_[0];
    tensor_.bytes = offsets_[1] - offsets_[0];
    check<DamagedFileError>(tensor_.bytes == bytes, path_, ": ", shown(name_), " has ", tensor_.bytes,
                            " bytes by its offsets, ", bytes, " by its shape and dtype ", tensor_.dtype);
    tensor_.name = std::move(name_);
    tensors.push_back(std::move(tensor_));
  }

  static constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};
  static constexpr unsigned kAllFields = (1u << kFields.size()) - 1;

  const std::string& path_;
  Place place_ = Place::kStart;
  std::string name_, field_;
  bool has_metadata_ = false;
  unsigned fields_ = 0;  // of the present tensor, as bits
  StoredTensor tensor_;
  std::vector<uint64_t> offsets_;
};

std::string read_header(const InputFile& file) {
  uint64_t length = 0;
  check<DamagedFileError>(file.size() >= sizeof length, file.path(), ": has ", file.size(),
                          " bytes, too few for a safetensors file (at least 8)");
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  const uint64_t limit = std::min(kMaxHeaderBytes, file.size() - sizeof length);
  check<DamagedFileError>(length <= limit, file.path(), ": declares a header of ", length, " bytes (at most ", limit,
                          "); is it a safetensors file?");
  std::string header(length, '\0');
  file.read(sizeof length, std::as_writable_bytes(std::span(header)));
  check<DamagedFileError>(header.starts_with('{'), file.path(), ": the header does not start with '{'");
  // The parser takes it for the header's end.
  check<DamagedFileError>(header.find('\0') == header.npos, file.path(), ": the header is not valid JSON: its byte ",
                          header.find('\0'), " is zero");
  return header;
}

// Every byte of the data belongs to exactly one tensor.
void check_coverage(const std::string& path, std::vector<StoredTensor>& tensors, uint64_t data_bytes) {
  std::ranges::sort(tensors, {}, [](const StoredTensor& t) { return std::pair(t.offset, t.bytes); });
  uint64_t end = 0;
  for (const StoredTensor& tensor : tensors) {
    check<DamagedFileError>(tensor.offset == end, path, ": ", shown(tensor.name), " starts at byte ", tensor.offset,
                            " of the data (expected ", end, "; no holes, no overlaps)");
    end += tensor.bytes;
    check<DamagedFileError>(end <= data_bytes, path, ": ", shown(tensor.name), " ends at byte ", end,
                            " of the data, which has ", data_bytes, "; is the file cut off?");
  }
  check<DamagedFileError>(end == data_bytes, path, ": ", data_bytes - end,
                          " bytes follow the last tensor (expected none)");
}

// Metadata first, tensors in the order of their data, blanks up to a multiple of eight bytes.
std::string header_of(const std::vector<const TensorView*>& tensors) {
  nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
  uint64_t end = 0;
  for (const TensorView* tensor : tensors) {
    std::vector<int64_t> dims;
    for (int axis = 0; axis < tensor->shape.rank(); ++axis) dims.push_back(tensor->shape[axis]);
    const uint64_t begin = std::exchange(end, end + tensor->values.size_bytes());
    header[tensor->name] = {{"dtype", "F32"}, {"shape", dims}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  const std::string header = read_header(file_);
  check_long_json(header, file_.path());
  HeaderReader reader(file_.path(), header.size());
  nlohmann::json::sax_parse(header, &reader);
  tensors_ = std::move(reader.tensors);
  metadata_ = std::move(reader.metadata);
  const uint64_t data_begin = sizeof(uint64_t) + header.size();
  check_coverage(path, tensors_, file_.size() - data_begin);
  for (StoredTensor& tensor : tensors_) tensor.offset += data_begin;
  std::ranges::sort(tensors_, {}, &StoredTensor::name);
  const auto twin = std::ranges::adjacent_find(tensors_, {}, &StoredTensor::name);
  check<DamagedFileError>(twin == tensors_.end(), path, ": duplicate tensor ",
                          twin == tensors_.end() ? "" : shown(twin->name), " in the header");
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto it = std::ranges::lower_bound(tensors_, name, {}, &StoredTensor::name);
  return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

const StoredTensor& SafetensorsFile::at(std::string_view name) const {
  const StoredTensor* tensor = find(name);
  check<MismatchError>(tensor != nullptr, path(), ": has no tensor ", shown(name));
  return *tensor;
}

template <class T>
void SafetensorsFile::read_as(std::string_view name, std::span<T> out) const {
  const StoredTensor& tensor = at(name);
  check<MismatchError>(static_cast<size_t>(tensor.numel()) == out.size(), path(), ": ", shown(name), " has ",
                       tensor.numel(), " elements (expected ", out.size(), ")");
  read_elements(file_, tensor, 0, out);
}

void SafetensorsFile::read(std::string_view name, std::span<float> out) const {
  read_as(name, out);
}
void SafetensorsFile::read(std::string_view name, std::span<double> out) const {
  read_as(name, out);
}
void SafetensorsFile::read(std::string_view name, std::span<int64_t> out) const {
  read_as(name, out);
}

void write_safetensors(OutputFile& file, std::span<const TensorView> tensors) {
  std::vector<const TensorView*> sorted;
  for (const TensorView& tensor : tensors) {
    check<Error>(tensor.values.size() == static_cast<size_t>(tensor.shape.numel()), "safetensors: '", tensor.name,
                 "' has ", tensor.values.size(), " elements and shape ", tensor.shape);
    sorted.push_back(&tensor);
  }
  std::ranges::sort(sorted, {}, &TensorView::name);
  const auto twin = std::ranges::adjacent_find(sorted, {}, &TensorView::name);
  check<Error>(twin == sorted.end(), "safetensors: two tensors are named '", twin == sorted.end() ? "" : (*twin)->name,
               "'");
  const std::string header = header_of(sorted);
  const uint64_t length = header.size();
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const TensorView* tensor : sorted) file.write_tensor(tensor->name, std::as_bytes(tensor->values));
}

}  // namespace bertha
