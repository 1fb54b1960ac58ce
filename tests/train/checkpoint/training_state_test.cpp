#include "train/checkpoint/training_state.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>

#include "autograd/core/error.h"
#include "data/file.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "train/checkpoint/atomic_directory.h"

namespace bertha {
namespace {

FileRecord write(const std::string& path, const TinyCheckpoint& tiny) {
  OutputFile file(path);
  write_training_state(file, tiny.state, tiny.moments());
  return file.finish();
}

/// A directory whose training_state.h5 is `bytes`, with a manifest that agrees.
void publish_state(const std::string& directory, const std::string& bytes) {
  AtomicDirectory target(directory);
  target.write_file("training_state.h5", [&](OutputFile& out) { out.write(bytes); });
  target.publish();
}

TEST(TrainingState, RoundTrips) {
  const TemporaryDirectory parent;
  TinyCheckpoint tiny;
  const std::string path = tiny.save(Checkpoints(parent.path(), 1), 200);
  const TrainingStateFile file(path);
  const TrainingState& state = file.state();
  EXPECT_EQ(state.step, 200);
  EXPECT_EQ(state.samples, 12800);
  EXPECT_EQ(state.tokens, 1'500'000'000'000);
  EXPECT_EQ(state.budget_used_ms, 7'200'000);
  EXPECT_EQ(state.optimizer, "adamw");
  EXPECT_EQ(state.configuration, tiny.state.configuration);
  EXPECT_EQ(state.identity.evaluation_hash, 14u);
  EXPECT_NO_THROW(check_same_run(path, state.identity, tiny.state.identity));
  std::vector<float> weight(6), bias(2);
  file.read_moment("first_moment", "bert.dense.weight", {3, 2}, weight);
  EXPECT_EQ(weight, tiny.first_weight);
  file.read_moment("second_moment", "bert.dense.weight", {3, 2}, weight);
  EXPECT_EQ(weight, tiny.second_weight);
  file.read_moment("second_moment", "bert.dense.bias", {2}, bias);
  EXPECT_EQ(bias, tiny.second_bias);
}

TEST(TrainingState, KeepsAnEmptyAndALongText) {
  const TemporaryDirectory parent;
  TinyCheckpoint tiny;
  tiny.state.optimizer = "";
  tiny.state.configuration = std::string(200'000, 'c');
  const TrainingStateFile file(tiny.save(Checkpoints(parent.path(), 1), 1));
  EXPECT_EQ(file.state().optimizer, "");
  EXPECT_EQ(file.state().configuration, tiny.state.configuration);
}

TEST(TrainingState, EqualStatesAreEqualBytesAtAnyTime) {
  const TemporaryDirectory parent;
  write(parent / "a", TinyCheckpoint());
  write(parent / "b", TinyCheckpoint());
  EXPECT_EQ(bytes_of(parent / "a"), bytes_of(parent / "b"));
  const hid_t file = H5Fopen((parent / "a").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (const char* name : {"step", "first_moment/bert.dense.weight", "first_moment", "/"}) {
    H5O_info_t info{};
    ASSERT_GE(H5Oget_info_by_name(file, name, &info, H5P_DEFAULT), 0);
    EXPECT_EQ(info.ctime, 0) << name;
  }
  H5Fclose(file);
}

TEST(TrainingState, RecordsEveryTensorWhereItIs) {
  const TemporaryDirectory parent;
  const TinyCheckpoint tiny;
  const FileRecord record = write(parent / "state", tiny);
  ASSERT_EQ(record.tensors.size(), 4u);
  const InputFile file(parent / "state");
  for (const TensorRecord& tensor : record.tensors) {
    std::vector<float> values(tensor.bytes / sizeof(float));
    file.read(tensor.offset, std::as_writable_bytes(std::span(values)));
    if (tensor.name == "first_moment/bert.dense.weight") {
      EXPECT_EQ(values, tiny.first_weight);
    }
    if (tensor.name == "second_moment/bert.dense.bias") {
      EXPECT_EQ(values, tiny.second_bias);
    }
  }
}

TEST(TrainingState, RefusesMomentsOfAnotherModel) {
  const TemporaryDirectory parent;
  TinyCheckpoint tiny;
  const TrainingStateFile file(tiny.save(Checkpoints(parent.path(), 1), 1));
  std::vector<float> out(6);
  EXPECT_THROW(file.read_moment("first_moment", "bert.dense.weight", {2, 3}, out), MismatchError);
  EXPECT_THROW(file.read_moment("first_moment", "bert.dense.weight", {6}, out), MismatchError);
  EXPECT_THROW(file.read_moment("first_moment", "bert.other", {6}, out), MismatchError);
  EXPECT_THROW(file.read_moment("third_moment", "bert.dense.weight", {3, 2}, out), MismatchError);
  EXPECT_THROW(file.read_moment("first_moment", "bert.dense.weight", {3, 2}, std::span(out).first(5)), MismatchError);
  EXPECT_THROW(file.read_moment("identity", "seed", {}, std::span(out).first(1)), DamagedFileError);
}

TEST(TrainingState, NamesWhatResumingMustShare) {
  const RunIdentity identity = TinyCheckpoint().state.identity;
  const auto complaint = [&](auto change) -> std::string {
    RunIdentity other = identity;
    change(other);
    try {
      check_same_run("step-00000200", identity, other);
    } catch (const MismatchError& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(complaint([](RunIdentity& o) { o.model = "{\n  \"hidden_size\": 3\n}\n"; }),
            "step-00000200: belongs to another model: '  \"hidden_size\": 2' (this run has '  \"hidden_size\": 3')");
  EXPECT_EQ(complaint([](RunIdentity& o) { o.data_hash = 13; }),
            "step-00000200: belongs to other training data: hash 12 (this run has 13)");
  EXPECT_EQ(complaint([](RunIdentity& o) { o.evaluation_hash = 15; }),
            "step-00000200: belongs to other validation data: hash 14 (this run has 15)");
  EXPECT_EQ(complaint([](RunIdentity& o) { o.evaluation_hash = 0; }), "none") << "nothing is decided by it";
  EXPECT_NE(complaint([](RunIdentity& o) { o.vocabulary_hash = 13; }).find("vocabulary"), std::string::npos);
  EXPECT_NE(complaint([](RunIdentity& o) { o.seed = 2; }).find("seed 1 (this run has 2)"), std::string::npos);
  EXPECT_NE(complaint([](RunIdentity& o) { o.global_batch_size = 32; }).find("64 sequences"), std::string::npos);
}

TEST(TrainingState, RefusesWhatIsNotHdf5OrLacksAMember) {
  const TemporaryDirectory parent;
  publish_state(parent / "text", "not HDF5");
  EXPECT_THROW(TrainingStateFile{parent / "text"}, DamagedFileError);
  publish_state(parent / "empty", "");
  EXPECT_THROW(TrainingStateFile{parent / "empty"}, DamagedFileError);
  H5Fclose(H5Fcreate((parent / "bare.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  publish_state(parent / "bare", bytes_of(parent / "bare.h5"));
  EXPECT_THROW(TrainingStateFile{parent / "bare"}, MismatchError);
}

// What a forger with a right manifest could still do: links out of the file, other types, ranks and layouts.
TEST(TrainingState, RefusesHostileFilesWithARightManifest) {
  const TemporaryDirectory parent;
  const auto expect_refusal = [&](const std::string& name, auto change) {
    const std::string path = parent / (name + ".h5");
    write(path, TinyCheckpoint());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "step", H5P_DEFAULT);
    change(file);
    ASSERT_GE(H5Fclose(file), 0);
    publish_state(parent / name, bytes_of(path));
    EXPECT_THROW(TrainingStateFile{parent / name}, DamagedFileError) << name;
  };
  const auto make_set = [](hid_t file, hid_t type, std::vector<hsize_t> dims, bool chunked) {
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (chunked) H5Pset_chunk(properties, static_cast<int>(dims.size()), dims.data());
    H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
    H5Dclose(H5Dcreate2(file, "step", type, space, H5P_DEFAULT, properties, H5P_DEFAULT));
    H5Pclose(properties);
    H5Sclose(space);
  };
  expect_refusal("soft", [](hid_t file) { H5Lcreate_soft("/tokens", file, "step", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refusal("external", [](hid_t file) {
    H5Lcreate_external("/etc/passwd", "/step", file, "step", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refusal("group",
                 [](hid_t file) { H5Gclose(H5Gcreate2(file, "step", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); });
  expect_refusal("type", [&](hid_t file) { make_set(file, H5T_IEEE_F64LE, {}, false); });
  expect_refusal("rank", [&](hid_t file) { make_set(file, H5T_STD_I64LE, {1}, false); });
  expect_refusal("rank5", [&](hid_t file) { make_set(file, H5T_STD_I64LE, {1, 1, 1, 1, 1}, false); });
  expect_refusal("chunked", [&](hid_t file) { make_set(file, H5T_STD_I64LE, {2}, true); });
  expect_refusal("text", [&](hid_t file) {
    H5Ldelete(file, "optimizer", H5P_DEFAULT);
    make_set(file, H5T_STD_I64LE, {}, false);
    H5Lmove(file, "step", file, "optimizer", H5P_DEFAULT, H5P_DEFAULT);
    make_set(file, H5T_STD_I64LE, {}, false);
  });
}

}  // namespace
}  // namespace bertha
