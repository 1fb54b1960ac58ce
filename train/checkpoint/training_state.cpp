#include "train/checkpoint/training_state.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "autograd/core/error.h"
#include "train/checkpoint/manifest.h"
#include "train/first_difference.h"

namespace bertha {
namespace {

constexpr size_t kMaxTextBytes = size_t{16} << 20;
constexpr size_t kBytesPerObject = 512;  // what HDF5 needs to describe a data set, rounded up
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

void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

// ---- Writing

struct Hole {
  uint64_t offset;
  std::string name;
  const Moment* moment;
  size_t tensor;

  std::span<const float> fetch() const {
    const std::span<const float> values = moment->fetch(tensor);
    const Shape& shape = moment->tensors[tensor].second;
    check<Error>(values.size() == static_cast<size_t>(shape.numel()), "training state: '", name, "' has ",
                 values.size(), " elements and shape ", shape);
    return values;
  }
};

// HDF5 1.10 crashes when a write to disk fails. It therefore makes its file in memory and leaves holes where the
// moments' elements belong; OutputFile writes both in turn, and no element is copied.
struct Skeleton {
  std::vector<std::byte> image;  // from the start; zeros follow it
  std::vector<Hole> holes;       // in the order of the moments and of the file
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

void write_scalar(hid_t parent, const char* name, hid_t type, const void* value) {
  const Id space = made(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Id set = made(H5Dcreate2(parent, name, type, space, H5P_DEFAULT, timeless(), H5P_DEFAULT), H5Dclose, name);
  if (H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) fail_to_build(name);
}

void write_integer(hid_t parent, const char* name, int64_t value) {
  write_scalar(parent, name, H5T_STD_I64LE, &value);
}

void write_integer(hid_t parent, const char* name, uint64_t value) {
  write_scalar(parent, name, H5T_STD_U64LE, &value);
}

void write_text(hid_t parent, const char* name, const std::string& text) {
  const Id type = made(H5Tcopy(H5T_C_S1), H5Tclose, name);
  H5Tset_size(type, std::max<size_t>(text.size(), 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  write_scalar(parent, name, type, text.c_str());
}

Id make_group(hid_t parent, const std::string& name) {
  return made(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, name);
}

void write_members(hid_t file, const TrainingState& state) {
  write_integer(file, "step", state.step);
  write_integer(file, "samples", state.samples);
  write_integer(file, "tokens", state.tokens);
  write_integer(file, "budget_used_ms", state.budget_used_ms);
  write_text(file, "optimizer", state.optimizer);
  write_text(file, "configuration", state.configuration);
  const Id identity = make_group(file, "identity");
  write_text(identity, "model", state.identity.model);
  write_integer(identity, "vocabulary_hash", state.identity.vocabulary_hash);
  write_integer(identity, "data_hash", state.identity.data_hash);
  if (state.identity.evaluation_hash != 0) write_integer(identity, "evaluation_hash", state.identity.evaluation_hash);
  write_integer(identity, "seed", state.identity.seed);
  write_integer(identity, "global_batch_size", state.identity.global_batch_size);
}

std::array<hsize_t, Shape::kMaxRank> dims_of(const Shape& shape) {
  std::array<hsize_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < shape.rank(); ++axis) dims[axis] = static_cast<hsize_t>(shape[axis]);
  return dims;
}

// Returns where the elements belong in the file.
uint64_t make_hole(hid_t group, const std::string& name, const Shape& shape) {
  const Id properties = timeless();
  H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
  const Id space = made(H5Screate_simple(shape.rank(), dims_of(shape).data(), nullptr), H5Sclose, name);
  const Id set = made(H5Dcreate2(group, name.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT),
                      H5Dclose, name);
  const haddr_t offset = H5Dget_offset(set);
  if (offset == HADDR_UNDEF) fail_to_build(name);
  return offset;
}

void make_contents(hid_t file, Skeleton& skeleton, const TrainingState& state, std::span<const Moment> moments) {
  write_members(file, state);
  for (const Moment& moment : moments) {
    const Id group = make_group(file, moment.name);
    for (size_t i = 0; i < moment.tensors.size(); ++i) {
      const auto& [name, shape] = moment.tensors[i];
      const uint64_t offset = make_hole(group, name, shape);
      if (!skeleton.holes.empty() && offset < skeleton.holes.back().offset) fail_to_build("tensors in order");
      skeleton.holes.push_back({offset, moment.name + "/" + name, &moment, i});
    }
  }
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

// ---- Reading

[[noreturn]] void refuse(const std::string& path, const std::string& name, std::string_view what) {
  fail<DamagedFileError>(path, ": '", name, "' ", what);
}

// A data set reached by plain names through groups of this very file: no soft, external or user-defined link.
Id open_set(hid_t file, const std::string& path, const std::string& name) {
  for (size_t end = name.find('/');; end = name.find('/', end + 1)) {
    const std::string prefix = name.substr(0, end);
    H5L_info_t link{};
    const bool exists = H5Lexists(file, prefix.c_str(), H5P_DEFAULT) > 0;
    check<MismatchError>(exists, path, ": has no '", name, "'");
    if (H5Lget_info(file, prefix.c_str(), &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD) {
      refuse(path, name, "is not stored in this file");
    }
    if (end == std::string::npos) break;
  }
  Id set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (set < 0) refuse(path, name, "is not a data set");
  const Id properties(H5Dget_create_plist(set), H5Pclose);
  if (H5Pget_layout(properties) != H5D_CONTIGUOUS || H5Pget_external_count(properties) != 0) {
    refuse(path, name, "is not stored in one piece of this file");
  }
  return set;
}

// The shape, once its size is what the file really stores.
std::vector<hsize_t> stored_dims(hid_t set, const std::string& path, const std::string& name, size_t element_bytes) {
  const Id space(H5Dget_space(set), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > Shape::kMaxRank) refuse(path, name, "has a rank that is not written here");
  std::vector<hsize_t> dims(rank);
  if (H5Sget_simple_extent_dims(space, dims.data(), nullptr) != rank) refuse(path, name, "has no readable shape");
  hsize_t bytes = element_bytes;
  for (const hsize_t dim : dims) {
    if (__builtin_mul_overflow(bytes, dim, &bytes)) refuse(path, name, "has a shape whose size overflows");
  }
  if (H5Dget_storage_size(set) != bytes) refuse(path, name, "stores another size than its shape has");
  return dims;
}

void check_type(hid_t set, hid_t expected, const std::string& path, const std::string& name) {
  const Id type(H5Dget_type(set), H5Tclose);
  if (H5Tequal(type, expected) <= 0) refuse(path, name, "has an unexpected element type");
}

template <class T>
T read_integer(hid_t file, const std::string& path, const std::string& name) {
  const hid_t type = std::is_signed_v<T> ? H5T_STD_I64LE : H5T_STD_U64LE;
  const Id set = open_set(file, path, name);
  check_type(set, type, path, name);
  if (!stored_dims(set, path, name, sizeof(T)).empty()) refuse(path, name, "is not a scalar");
  T value = 0;
  if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) < 0) refuse(path, name, "cannot be read");
  return value;
}

std::string read_text_set(hid_t file, const std::string& path, const std::string& name) {
  const Id set = open_set(file, path, name);
  const Id type(H5Dget_type(set), H5Tclose);
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) refuse(path, name, "is not a plain text");
  const size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > kMaxTextBytes) refuse(path, name, "has an unlikely length");
  if (!stored_dims(set, path, name, bytes).empty()) refuse(path, name, "is not a scalar");
  std::string text(bytes, '\0');
  if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) refuse(path, name, "cannot be read");
  text.resize(std::strlen(text.c_str()));
  return text;
}

TrainingState read_members(hid_t file, const std::string& path) {
  TrainingState state;
  state.step = read_integer<int64_t>(file, path, "step");
  state.samples = read_integer<int64_t>(file, path, "samples");
  state.tokens = read_integer<int64_t>(file, path, "tokens");
  state.budget_used_ms = read_integer<int64_t>(file, path, "budget_used_ms");
  state.optimizer = read_text_set(file, path, "optimizer");
  state.configuration = read_text_set(file, path, "configuration");
  state.identity.model = read_text_set(file, path, "identity/model");
  state.identity.vocabulary_hash = read_integer<uint64_t>(file, path, "identity/vocabulary_hash");
  state.identity.data_hash = read_integer<uint64_t>(file, path, "identity/data_hash");
  if (H5Lexists(file, "identity/evaluation_hash", H5P_DEFAULT) > 0) {
    state.identity.evaluation_hash = read_integer<uint64_t>(file, path, "identity/evaluation_hash");
  }
  state.identity.seed = read_integer<uint64_t>(file, path, "identity/seed");
  state.identity.global_batch_size = read_integer<int64_t>(file, path, "identity/global_batch_size");
  check<DamagedFileError>(state.step >= 0 && state.samples >= 0 && state.tokens >= 0 && state.budget_used_ms >= 0, path,
                          ": step ", state.step, ", samples ", state.samples, ", tokens ", state.tokens,
                          ", budget_used_ms ", state.budget_used_ms, " (none may be negative)");
  return state;
}

Id open_checked(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kTrainingStateName);
  const Manifest manifest = Manifest::read(directory);
  const FileRecord* record = manifest.find(kTrainingStateName);
  check<DamagedFileError>(record != nullptr, path, ": is not in the manifest; is this a checkpoint?");
  verify_between_tensors(directory, *record);
  silence();
  Id access = made(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "properties");
  H5Pset_file_locking(access, /*use_file_locking=*/false, /*ignore_when_disabled=*/true);
  Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  check<DamagedFileError>(file >= 0, path, ": is not an HDF5 file");
  return file;
}

}  // namespace

void check_same_run(const std::string& path, const RunIdentity& found, const RunIdentity& expected) {
  if (found.model != expected.model) {
    const auto [there, here] = first_different_lines(found.model, expected.model);
    fail<MismatchError>(path, ": belongs to another model: '", there, "' (this run has '", here, "')");
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
  silence();
  const Skeleton skeleton = make_skeleton(state, moments);
  const auto copy_up_to = [&](uint64_t end) {
    const std::span<const std::byte> image(skeleton.image);
    if (file.size() < image.size()) file.write(image.subspan(file.size(), std::min(end, image.size()) - file.size()));
    file.write(std::vector<std::byte>(end - file.size()));
  };
  for (const Hole& hole : skeleton.holes) {
    copy_up_to(hole.offset);
    file.write_tensor(hole.name, hole.fetch());
  }
  copy_up_to(skeleton.size);
}

struct TrainingStateFile::Handle {
  Id file;
};

TrainingStateFile::TrainingStateFile(const std::string& checkpoint_directory)
    : path_(checkpoint_directory + "/" + std::string(kTrainingStateName)),
      handle_(new Handle{open_checked(checkpoint_directory)}),
      state_(read_members(handle_->file, path_)) {}

TrainingStateFile::~TrainingStateFile() = default;

void TrainingStateFile::read_moment(std::string_view moment, std::string_view tensor, const Shape& shape,
                                    std::span<float> out) const {
  const std::string name = std::string(moment).append("/").append(tensor);
  const Id set = open_set(handle_->file, path_, name);
  check_type(set, H5T_IEEE_F32LE, path_, name);
  const std::vector<hsize_t> dims = stored_dims(set, path_, name, sizeof(float));
  const auto expected = dims_of(shape);
  check<MismatchError>(std::ranges::equal(dims, std::span(expected).first(shape.rank())), path_, ": '", name,
                       "' does not have the shape ", shape, " of the model's tensor");
  check<MismatchError>(out.size() == static_cast<size_t>(shape.numel()), path_, ": '", name, "' of shape ", shape,
                       " does not fill ", out.size(), " elements");
  if (H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) < 0) {
    refuse(path_, name, "cannot be read");
  }
}

}  // namespace bertha
