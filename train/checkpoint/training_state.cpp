#include "train/checkpoint/training_state.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/shown.h"
#include "train/first_difference.h"

namespace bertha {
namespace {

constexpr size_t kMaxTextBytes = size_t{16} << 20;
constexpr int64_t kMaxCount = int64_t{1} << 48;  // what no run reaches, so that sums cannot overflow
constexpr size_t kBytesPerObject = 512;          // what HDF5 needs to describe a data set, rounded up
constexpr size_t kOtherObjects = 16;

/// An HDF5 identifier, released by its own kind of close.
class Id {
 public:
  using Close = herr_t (*)(hid_t);
  Id(hid_t id, Close close) : id_(id), close_(close) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Id& operator=(Id&&) = delete;
  ~Id() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// Calls `visit` with the name and the value of each data set that is no moment.
void visit_members(auto& state, const auto& visit) {
  visit("step", state.step);
  visit("samples", state.samples);
  visit("tokens", state.tokens);
  visit("budget_used_ms", state.budget_used_ms);
  visit("optimizer", state.optimizer);
  visit("configuration", state.configuration);
  visit("identity/model", state.identity.model);
  visit("identity/vocabulary_hash", state.identity.vocabulary_hash);
  visit("identity/data_hash", state.identity.data_hash);
  visit("identity/evaluation_hash", state.identity.evaluation_hash);
  visit("identity/seed", state.identity.seed);
  visit("identity/global_batch_size", state.identity.global_batch_size);
}

// ---- Writing

// What the manifest shall know by name: bytes of the image, or the elements of a moment.
struct Piece {
  uint64_t offset;
  std::string name;
  size_t bytes;
  const Moment* moment = nullptr;
  size_t tensor = 0;
};
constexpr auto by_offset = [](const Piece& a, const Piece& b) { return a.offset < b.offset; };

// HDF5 1.10 crashes when a write to disk fails. It therefore makes its file in memory and leaves holes where the
// moments' elements belong; OutputFile writes both in turn, and no element is copied.
struct Skeleton {
  std::vector<std::byte> image;  // from the start; zeros follow it
  std::vector<Piece> pieces;     // by ascending offset
  uint64_t size = 0;
};

[[noreturn]] void fail_to_build(std::string_view what) {
  fail<Error>("training state: HDF5 cannot make ", what);
}

Id made(hid_t id, Id::Close close, std::string_view what) {
  if (id < 0) fail_to_build(what);
  return {id, close};
}

// No times of creation: equal states are equal bytes.
Id timeless() {
  Id properties = made(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "properties");
  if (H5Pset_obj_track_times(properties, false) < 0) fail_to_build("properties");
  return properties;
}

/// Makes the groups on the way to a data set.
Id through_groups() {
  Id properties = made(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "properties");
  if (H5Pset_create_intermediate_group(properties, 1) < 0) fail_to_build("groups");
  return properties;
}

Id make_set(hid_t file, const std::string& name, hid_t type, hid_t space, hid_t properties) {
  return made(H5Dcreate2(file, name.c_str(), type, space, through_groups(), properties, H5P_DEFAULT), H5Dclose, name);
}

uint64_t offset_of(hid_t set, const std::string& name) {
  const haddr_t offset = H5Dget_offset(set);
  if (offset == HADDR_UNDEF) fail_to_build(name);
  return offset;
}

void add_scalar(hid_t file, Skeleton& skeleton, const std::string& name, hid_t type, const void* value) {
  const Id space = made(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Id set = make_set(file, name, type, space, timeless());
  if (H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) fail_to_build(name);
  skeleton.pieces.push_back({offset_of(set, name), name, H5Tget_size(type)});
}

void add_member(hid_t file, Skeleton& skeleton, const std::string& name, int64_t value) {
  add_scalar(file, skeleton, name, H5T_STD_I64LE, &value);
}

void add_member(hid_t file, Skeleton& skeleton, const std::string& name, uint64_t value) {
  add_scalar(file, skeleton, name, H5T_STD_U64LE, &value);
}

void add_member(hid_t file, Skeleton& skeleton, const std::string& name, const std::string& text) {
  const Id type = made(H5Tcopy(H5T_C_S1), H5Tclose, name);
  H5Tset_size(type, std::max<size_t>(text.size(), 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  add_scalar(file, skeleton, name, type, text.c_str());
}

void add_moment(hid_t file, Skeleton& skeleton, const Moment& moment, size_t tensor) {
  const auto& [tensor_name, shape] = moment.tensors[tensor];
  const std::string name = moment.name + "/" + tensor_name;
  const Id properties = timeless();
  H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
  std::array<hsize_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < shape.rank(); ++axis) dims[axis] = static_cast<hsize_t>(shape[axis]);
  const Id space = made(H5Screate_simple(shape.rank(), dims.data(), nullptr), H5Sclose, name);
  const Id set = make_set(file, name, H5T_IEEE_F32LE, space, properties);
  skeleton.pieces.push_back(
      {offset_of(set, name), name, static_cast<size_t>(shape.numel()) * sizeof(float), &moment, tensor});
}

// By ascending offset, which for moments must be the order in which they may be fetched.
void make_contents(hid_t file, Skeleton& skeleton, const TrainingState& state, std::span<const Moment> moments) {
  visit_members(state, [&](const char* name, const auto& value) { add_member(file, skeleton, name, value); });
  const size_t members = skeleton.pieces.size();
  for (const Moment& moment : moments) {
    for (size_t i = 0; i < moment.tensors.size(); ++i) add_moment(file, skeleton, moment, i);
  }
  const auto first_moment = skeleton.pieces.begin() + static_cast<std::ptrdiff_t>(members);
  if (!std::is_sorted(first_moment, skeleton.pieces.end(), by_offset)) fail_to_build("tensors in order");
  std::ranges::sort(skeleton.pieces, by_offset);
}

void* resize_image(void* image, size_t bytes) {
  auto& resized = *static_cast<std::vector<std::byte>*>(image);
  resized.resize(bytes);
  return resized.data();
}

// A file in memory, which stays in `image` after it was closed.
Id access_to(std::vector<std::byte>& image) {
  using Operation = H5FD_file_image_op_t;
  H5FD_file_image_callbacks_t callbacks{
      .image_malloc = [](size_t bytes, Operation, void* target) { return resize_image(target, bytes); },
      .image_memcpy = [](void* to, const void* from, size_t bytes, Operation,
                         void*) { return std::memcpy(to, from, bytes); },
      .image_realloc = [](void*, size_t bytes, Operation, void* target) { return resize_image(target, bytes); },
      .image_free = [](void*, Operation, void*) -> herr_t { return 0; },
      .udata_copy = [](void* target) { return target; },
      .udata_free = [](void*) -> herr_t { return 0; },
      .udata = &image};
  Id access = made(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "properties");
  if (H5Pset_fapl_core(access, /*increment=*/1, /*backing_store=*/false) < 0 ||
      H5Pset_file_image_callbacks(access, &callbacks) < 0) {
    fail_to_build("a file in memory");
  }
  return access;
}

Skeleton make_skeleton(const TrainingState& state, std::span<const Moment> moments) {
  Skeleton skeleton;
  const Id access = access_to(skeleton.image);
  // What HDF5 writes comes first, so that the image ends before the holes.
  size_t tensors = 0;
  for (const Moment& moment : moments) tensors += moment.tensors.size();
  H5Pset_meta_block_size(access, kBytesPerObject * (tensors + kOtherObjects));
  {
    const Id file = made(H5Fcreate("training_state", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose, "a file in memory");
    make_contents(file, skeleton, state, moments);
    hsize_t size = 0;
    if (H5Fget_filesize(file, &size) < 0) fail_to_build("a whole file");
    skeleton.size = size;
  }
  return skeleton;
}

std::span<const std::byte> content(const Skeleton& skeleton, const Piece& piece) {
  if (piece.moment == nullptr) return std::span(skeleton.image).subspan(piece.offset, piece.bytes);
  const auto elements = std::as_bytes(piece.moment->fetch(piece.tensor));
  check<Error>(elements.size() == piece.bytes, "training state: '", piece.name, "' has ", elements.size(),
               " bytes (expected ", piece.bytes, ")");
  return elements;
}

// ---- Reading

FileRecord checked_record(const std::string& directory) {
  const Manifest manifest = Manifest::read(directory);
  const FileRecord* record = manifest.find(kTrainingStateName);
  check<DamagedFileError>(record != nullptr, directory, "/", kTrainingStateName,
                          ": is not in the manifest; is this a checkpoint?");
  verify_between_tensors(directory, *record);
  return *record;
}

}  // namespace

void check_same_run(const std::string& path, const RunIdentity& found, const RunIdentity& expected) {
  if (found.model != expected.model) {
    const auto [there, here] = first_different_lines(found.model, expected.model);
    fail<MismatchError>(path, ": belongs to another model: ", shown(there), " (this run has ", shown(here), ")");
  }
  check<MismatchError>(found.vocabulary_hash == expected.vocabulary_hash, path,
                       ": belongs to another vocabulary: hash ", found.vocabulary_hash, " (this run has ",
                       expected.vocabulary_hash, ")");
  check<MismatchError>(found.data_hash == expected.data_hash, path, ": belongs to other training data: hash ",
                       found.data_hash, " (this run has ", expected.data_hash, ")");
  const bool evaluated_alike =
      found.evaluation_hash == 0 || expected.evaluation_hash == 0 || found.evaluation_hash == expected.evaluation_hash;
  check<MismatchError>(evaluated_alike, path, ": belongs to other validation data: hash ", found.evaluation_hash,
                       " (this run has ", expected.evaluation_hash, ")");
  check<MismatchError>(found.seed == expected.seed, path, ": belongs to seed ", found.seed, " (this run has ",
                       expected.seed, ")");
  check<MismatchError>(found.global_batch_size == expected.global_batch_size, path, ": belongs to a global batch of ",
                       found.global_batch_size, " sequences (this run has ", expected.global_batch_size, ")");
}

void write_training_state(OutputFile& file, const TrainingState& state, std::span<const Moment> moments) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // HDF5 prints what fails unless told not to
  const Skeleton skeleton = make_skeleton(state, moments);
  const auto copy_up_to = [&](uint64_t end) {
    const std::span<const std::byte> image(skeleton.image);
    if (file.size() < image.size()) file.write(image.subspan(file.size(), std::min(end, image.size()) - file.size()));
    file.write(std::vector<std::byte>(end - file.size()));
  };
  for (const Piece& piece : skeleton.pieces) {
    copy_up_to(piece.offset);
    file.write_tensor(piece.name, content(skeleton, piece));
  }
  copy_up_to(skeleton.size);
}

TrainingStateFile::TrainingStateFile(const std::string& checkpoint_directory)
    : record_(checked_record(checkpoint_directory)),
      file_(checkpoint_directory + "/" + std::string(kTrainingStateName)) {
  visit_members(state_, [&](const char* name, auto& value) { read(name, value); });
  const std::array counts{state_.step, state_.samples, state_.tokens, state_.budget_used_ms};
  const bool possible = std::ranges::all_of(counts, [](int64_t count) { return count >= 0 && count <= kMaxCount; });
  check<DamagedFileError>(possible, file_.path(), ": step ", state_.step, ", samples ", state_.samples, ", tokens ",
                          state_.tokens, ", budget_used_ms ", state_.budget_used_ms, " (expected 0 to ", kMaxCount,
                          ")");
}

std::vector<TensorRecord> TrainingStateFile::moments() const {
  std::vector<TensorRecord> moments = record_.tensors;
  visit_members(state_, [&](std::string_view member, const auto&) {
    std::erase_if(moments, [&](const TensorRecord& record) { return record.name == member; });
  });
  for (const TensorRecord& moment : moments) {
    check<DamagedFileError>(moment.bytes % sizeof(float) == 0, file_.path(), ": ", shown(moment.name), " has ",
                            moment.bytes, " bytes (a multiple of ", sizeof(float), " was expected)");
  }
  return moments;
}

void TrainingStateFile::read_moment(std::string_view moment, std::string_view tensor, const Shape& shape,
                                    std::span<float> out) const {
  const TensorRecord& record = find(std::string(moment).append("/").append(tensor));
  const auto bytes = static_cast<size_t>(shape.numel()) * sizeof(float);
  check<MismatchError>(record.bytes == bytes && out.size_bytes() == bytes, file_.path(), ": '", record.name, "' has ",
                       record.bytes, " bytes (the model's tensor of shape ", shape, " has ", bytes, ", for ",
                       out.size_bytes(), ")");
  read(record, std::as_writable_bytes(out));
}

const TensorRecord& TrainingStateFile::find(std::string_view name) const {
  const auto record = std::ranges::find(record_.tensors, name, &TensorRecord::name);
  check<MismatchError>(record != record_.tensors.end(), file_.path(), ": the manifest knows no '", name,
                       "' in it; an earlier version of this program, or another model, has written it");
  return *record;
}

void TrainingStateFile::read(const TensorRecord& record, std::span<std::byte> out) const {
  file_.read(record.offset, out);
  const uint64_t found = checksum_of(out);
  check<DamagedFileError>(found == record.checksum, file_.path(), ": tensor '", record.name, "': checksum ",
                          to_hex(found), " (", to_hex(record.checksum), " was written)");
}

void TrainingStateFile::read(std::string_view name, std::string& text) const {
  const TensorRecord& record = find(name);
  check<DamagedFileError>(record.bytes <= kMaxTextBytes, file_.path(), ": '", name, "' is a text of ", record.bytes,
                          " bytes (at most ", kMaxTextBytes, " are written)");
  text.resize(record.bytes);
  read(record, std::as_writable_bytes(std::span(text)));
  text.resize(std::strlen(text.c_str()));
}

template <class Integer>
void TrainingStateFile::read(std::string_view name, Integer& value) const {
  const TensorRecord& record = find(name);
  check<DamagedFileError>(record.bytes == sizeof(value), file_.path(), ": '", name, "' is a number of ", record.bytes,
                          " bytes (expected ", sizeof(value), ")");
  read(record, std::as_writable_bytes(std::span(&value, 1)));
}

}  // namespace bertha
