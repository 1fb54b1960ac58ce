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

// HDF5 itself, as any other program would use it, finds every data set where the manifest says it is.
TEST(TrainingState, IsAnHdf5FileWhoseDataSetsTheManifestKnows) {
  const TemporaryDirectory parent;
  const FileRecord record = write(parent / "state", TinyCheckpoint());
  ASSERT_EQ(record.tensors.size(), 16u) << "twelve members and two moments of two tensors";
  const InputFile bytes(parent / "state");
  const hid_t file = H5Fopen((parent / "state").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (const TensorRecord& tensor : record.tensors) {
    const hid_t set = H5Dopen2(file, tensor.name.c_str(), H5P_DEFAULT);
    ASSERT_GE(set, 0) << tensor.name;
    const hid_t type = H5Dget_type(set);
    ASSERT_EQ(H5Dget_storage_size(set), tensor.bytes) << tensor.name;
    std::vector<std::byte> found(tensor.bytes), expected(tensor.bytes);
    bytes.read(tensor.offset, found);
    ASSERT_GE(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, expected.data()), 0) << tensor.name;
    EXPECT_EQ(found, expected) << tensor.name;
    H5Tclose(type);
    H5Dclose(set);
  }
  H5Fclose(file);
}

TEST(TrainingState, KnowsItsMoments) {
  const TemporaryDirectory parent;
  TinyCheckpoint tiny;
  const TrainingStateFile file(tiny.save(Checkpoints(parent.path(), 1), 1));
  std::vector<std::string> names;
  for (const TensorRecord& moment : file.moments()) names.push_back(moment.name);
  EXPECT_EQ(names, (std::vector<std::string>{"first_moment/bert.dense.bias", "first_moment/bert.dense.weight",
                                             "second_moment/bert.dense.bias", "second_moment/bert.dense.weight"}));
}

TEST(TrainingState, RefusesMomentsOfAnotherModel) {
  const TemporaryDirectory parent;
  TinyCheckpoint tiny;
  const TrainingStateFile file(tiny.save(Checkpoints(parent.path(), 1), 1));
  std::vector<float> out(6);
  EXPECT_THROW(file.read_moment("first_moment", "bert.dense.weight", {3, 3}, out), MismatchError);
  EXPECT_THROW(file.read_moment("first_moment", "bert.dense.weight", {5}, std::span(out).first(5)), MismatchError);
  EXPECT_THROW(file.read_moment("first_moment", "bert.other", {6}, out), MismatchError);
  EXPECT_THROW(file.read_moment("third_moment", "bert.dense.weight", {3, 2}, out), MismatchError);
  EXPECT_THROW(file.read_moment("first_moment", "bert.dense.weight", {3, 2}, std::span(out).first(5)), MismatchError);
  EXPECT_THROW(file.read_moment("identity", "seed", {}, std::span(out).first(1)), MismatchError);
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

class ForgedTrainingState : public testing::Test {
 protected:
  using Write = std::function<void(OutputFile&)>;

  /// What is said of a training_state.h5 that `write` makes, with a manifest that agrees.
  template <class Refusal>
  std::string refusal_of(const Write& write) {
    const std::string directory = parent_ / std::to_string(++made_);
    AtomicDirectory target(directory);
    target.write_file("training_state.h5", write);
    target.publish();
    try {
      TrainingStateFile{directory};
    } catch (const Refusal& error) {
      return std::string(error.what()).substr((directory + "/training_state.h5: ").size());
    }
    return "none";
  }
  /// The members, one of them as something else.
  static Write with(std::string_view forged, std::string_view value) {
    return [=](OutputFile& out) {
      const std::string number(8, '\0');
      for (const char* name : {"step", "samples", "tokens", "budget_used_ms", "optimizer", "configuration",
                               "identity/model", "identity/vocabulary_hash", "identity/data_hash",
                               "identity/evaluation_hash", "identity/seed", "identity/global_batch_size"}) {
        out.write_tensor(name, std::as_bytes(std::span(name == forged ? value : std::string_view(number))));
      }
    };
  }

  TemporaryDirectory parent_;
  int made_ = 0;
};

TEST_F(ForgedTrainingState, IsReadWhereItIsHonest) {
  EXPECT_EQ(refusal_of<Error>(with("optimizer", "adamw")), "none");
}

TEST_F(ForgedTrainingState, NeedsItsMembers) {
  const std::string expected =
      "the manifest knows no 'step' in it; an earlier version of this program, or another model, has written it";
  EXPECT_EQ(refusal_of<MismatchError>([](OutputFile&) {}), expected);
  EXPECT_EQ(refusal_of<MismatchError>([](OutputFile& out) { out.write("not HDF5"); }), expected);
  EXPECT_EQ(refusal_of<MismatchError>([](OutputFile& out) { out.write_tensor("tokens", {}); }), expected);
}

TEST_F(ForgedTrainingState, NeedsMembersOfTheRightSize) {
  EXPECT_EQ(refusal_of<DamagedFileError>(with("step", "1234")), "'step' is a number of 4 bytes (expected 8)");
  EXPECT_EQ(refusal_of<DamagedFileError>(with("identity/seed", "")),
            "'identity/seed' is a number of 0 bytes (expected 8)");
  EXPECT_EQ(refusal_of<DamagedFileError>(with("configuration", std::string((16 << 20) + 1, 'a'))),
            "'configuration' is a text of 16777217 bytes (at most 16777216 are written)");
}

TEST_F(ForgedTrainingState, NeedsCountsThatRunsReach) {
  EXPECT_EQ(refusal_of<DamagedFileError>(with("step", std::string(8, '\xFF'))),
            "step -1, samples 0, tokens 0, budget_used_ms 0 (expected 0 to 281474976710656)");
  EXPECT_EQ(refusal_of<DamagedFileError>(with("samples", std::string(6, '\0') + "\2" + std::string(1, '\0'))),
            "step 0, samples 562949953421312, tokens 0, budget_used_ms 0 (expected 0 to 281474976710656)");
}

TEST_F(ForgedTrainingState, NeedsMomentsOfWholeElements) {
  AtomicDirectory target(parent_ / "moments");
  target.write_file("training_state.h5", [](OutputFile& out) {
    with("", "")(out);
    out.write_tensor("first_moment/a", std::as_bytes(std::span("1234567", 7)));
  });
  target.publish();
  EXPECT_THROW(TrainingStateFile(parent_ / "moments").moments(), DamagedFileError);
}

TEST_F(ForgedTrainingState, IsNotReadWhereAMemberIsNotWhatWasWritten) {
  TinyCheckpoint tiny;
  const std::string directory = tiny.save(Checkpoints(parent_ / "checkpoints", 1), 1);
  const std::string path = directory + "/training_state.h5";
  std::string bytes = bytes_of(path);
  bytes[bytes.find("adamw")] ^= 1;
  write_bytes(path, bytes);
  EXPECT_THROW(TrainingStateFile{directory}, DamagedFileError);
}

}  // namespace
}  // namespace bertha
