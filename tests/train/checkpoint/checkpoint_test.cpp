#include "train/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <set>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/file_size_limit.h"
#include "tests/train/checkpoint/names_in.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "train/checkpoint/manifest.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

void flip_byte(const std::string& path, size_t index) {
  std::string bytes = bytes_of(path);
  bytes.at(index) = static_cast<char>(bytes[index] ^ 1);
  write_bytes(path, bytes);
}

class CheckpointsTest : public testing::Test {
 protected:
  std::string directory(const std::string& name = "") const { return parent_ / ("checkpoints/" + name); }
  Checkpoints open(int keep) const { return Checkpoints(parent_ / "checkpoints", keep); }

  TemporaryDirectory parent_;
  TinyCheckpoint tiny_;
};

TEST_F(CheckpointsTest, StartsEmpty) {
  const Checkpoints::Choice choice = open(1).newest_good();
  EXPECT_FALSE(choice.directory);
  EXPECT_TRUE(choice.skipped.empty());
}

TEST_F(CheckpointsTest, SavesAModelDirectoryWithTrainingState) {
  const std::string path = tiny_.save(open(1), 200);
  EXPECT_EQ(path, directory("step-00000200"));
  EXPECT_EQ(names_in(path), (std::set<std::string>{"MANIFEST.json", "config.json", "model.safetensors",
                                                   "training_state.h5", "vocab.txt"}));
  EXPECT_EQ(bytes_of(directory("latest")), "step-00000200\n");
  std::vector<float> weight(6);
  SafetensorsFile(path + "/model.safetensors").read("bert.dense.weight", std::span(weight));
  EXPECT_EQ(weight, tiny_.weight);
  EXPECT_EQ(open(1).newest_good().directory, path);
}

TEST_F(CheckpointsTest, KeepsTheNewest) {
  const Checkpoints checkpoints = open(2);
  for (const int64_t step : {5, 10, 99999999, 100000000}) tiny_.save(checkpoints, step);
  EXPECT_EQ(names_in(directory()), (std::set<std::string>{"latest", "step-100000000", "step-99999999"}));
  EXPECT_EQ(checkpoints.newest_good().directory, directory("step-100000000"));
}

TEST_F(CheckpointsTest, KeepsAtLeastOne) {
  EXPECT_THROW(open(0), ConfigError);
}

TEST_F(CheckpointsTest, NeverRemovesTheOneJustSavedForALaterStep) {
  const Checkpoints checkpoints = open(1);
  tiny_.save(checkpoints, 400);
  tiny_.save(checkpoints, 300);  // resumed from an earlier one
  EXPECT_EQ(names_in(directory()), (std::set<std::string>{"latest", "step-00000300", "step-00000400"}));
  EXPECT_EQ(checkpoints.newest_good().directory, directory("step-00000300"));
  tiny_.save(checkpoints, 400);
  EXPECT_EQ(names_in(directory()), (std::set<std::string>{"latest", "step-00000400"}));
}

TEST_F(CheckpointsTest, SavingAStepAgainReplacesIt) {
  const Checkpoints checkpoints = open(3);
  tiny_.save(checkpoints, 200);
  tiny_.weight[0] = 42;
  const std::string path = tiny_.save(checkpoints, 200);
  std::vector<float> weight(6);
  SafetensorsFile(path + "/model.safetensors").read("bert.dense.weight", std::span(weight));
  EXPECT_EQ(weight[0], 42);
  EXPECT_EQ(names_in(directory()), (std::set<std::string>{"latest", "step-00000200"}));
}

TEST_F(CheckpointsTest, FallsBackToTheNewestGoodOneAndSaysWhy) {
  const Checkpoints checkpoints = open(3);
  for (const int64_t step : {100, 200, 300}) tiny_.save(checkpoints, step);
  flip_byte(directory("step-00000300/model.safetensors"), 210);
  fs::remove(directory("step-00000200/training_state.h5"));
  const Checkpoints::Choice choice = checkpoints.newest_good();
  EXPECT_EQ(choice.directory, directory("step-00000100"));
  ASSERT_EQ(choice.skipped.size(), 2u);
  EXPECT_NE(choice.skipped[0].find("step-00000300/model.safetensors: tensor 'bert.dense.weight'"), std::string::npos)
      << choice.skipped[0];
  EXPECT_NE(choice.skipped[1].find("step-00000200/training_state.h5: is missing"), std::string::npos);
}

TEST_F(CheckpointsTest, FollowsLatestAndDoesWithoutIt) {
  const Checkpoints checkpoints = open(3);
  for (const int64_t step : {100, 200, 300}) tiny_.save(checkpoints, step);
  write_bytes(directory("latest"), "step-00000200");
  EXPECT_EQ(checkpoints.newest_good().directory, directory("step-00000200"));
  for (const std::string& damaged :
       {std::string("step-00000999\n"), std::string(), std::string("../..\n"), std::string(100'000, 's')}) {
    write_bytes(directory("latest"), damaged);
    const Checkpoints::Choice choice = checkpoints.newest_good();
    EXPECT_EQ(choice.directory, directory("step-00000300"));
    EXPECT_EQ(choice.skipped.size(), 1u);
  }
  fs::remove(directory("latest"));
  EXPECT_EQ(checkpoints.newest_good().directory, directory("step-00000300"));
  EXPECT_TRUE(checkpoints.newest_good().skipped.empty());
}

TEST_F(CheckpointsTest, PassesOverWhatCannotBeLookedAt) {
  const Checkpoints checkpoints = open(3);
  tiny_.save(checkpoints, 100);
  tiny_.save(checkpoints, 200);
  for (const std::string odd : {"latest", "step-00000200/MANIFEST.json", "step-00000200/model.safetensors"}) {
    const std::string path = directory(odd);
    fs::rename(path, parent_ / "kept");
    fs::create_symlink(path, path);
    const Checkpoints::Choice choice = checkpoints.newest_good();
    EXPECT_EQ(choice.directory, directory(odd == "latest" ? "step-00000200" : "step-00000100")) << odd;
    ASSERT_EQ(choice.skipped.size(), 1u) << odd;
    EXPECT_TRUE(choice.skipped[0].starts_with(path + ": ")) << choice.skipped[0];
    fs::remove(path);
    fs::rename(parent_ / "kept", path);
  }
  fs::create_symlink(directory("step-00000300"), directory("step-00000300"));
  const Checkpoints::Choice choice = checkpoints.newest_good();
  EXPECT_EQ(choice.directory, directory("step-00000200"));
  EXPECT_TRUE(choice.skipped.empty()) << "latest names another";
}

TEST_F(CheckpointsTest, AModelDirectoryIsNoCheckpoint) {
  const Checkpoints checkpoints = open(1);
  publish_model(directory("step-00000100"), tiny_.model());
  const Checkpoints::Choice choice = checkpoints.newest_good();
  EXPECT_FALSE(choice.directory);
  EXPECT_EQ(choice.skipped.size(), 1u);
}

TEST_F(CheckpointsTest, AFullDiskAtAnyFileLeavesTheOldState) {
  const Checkpoints checkpoints = open(1);
  const std::string path = tiny_.save(checkpoints, 100);
  for (const rlim_t bytes : {0, 20, 100, 215, 4000, 10'000}) {
    const FileSizeLimit limit(bytes);
    EXPECT_THROW(tiny_.save(checkpoints, 200), Error) << bytes;
  }
  EXPECT_EQ(names_in(directory()), (std::set<std::string>{"latest", "step-00000100"}));
  EXPECT_EQ(checkpoints.newest_good().directory, path);
  tiny_.save(checkpoints, 200);
}

TEST_F(CheckpointsTest, TidiesAfterACrashAtTheNextStart) {
  tiny_.save(open(1), 100);
  fs::create_directories(directory("step-00000200.tmp-bertha-123"));
  write_bytes(directory("step-00000200.tmp-bertha-123/model.safetensors"), "torn");
  write_bytes(directory("latest.tmp-bertha-123"), "step-000");
  EXPECT_EQ(open(1).newest_good().directory, directory("step-00000100"));
  EXPECT_EQ(names_in(directory()), (std::set<std::string>{"latest", "step-00000100"}));
}

TEST_F(CheckpointsTest, EqualStatesAreEqualFiles) {
  const std::string a = tiny_.save(Checkpoints(parent_ / "a", 1), 100);
  const std::string b = tiny_.save(Checkpoints(parent_ / "b", 1), 100);
  for (const std::string& name : names_in(a)) EXPECT_EQ(bytes_of(a + "/" + name), bytes_of(b + "/" + name)) << name;
}

TEST_F(CheckpointsTest, KilledAtAnyMomentLeavesAGoodOneAndLatestNamingIt) {
  tiny_.save(open(2), 1);
  for (int round = 0; round < 40; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (int64_t step = 2;; ++step) tiny_.save(open(2), step % 5 + 1);
    }
    usleep(static_cast<useconds_t>(1000 + 137 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const Checkpoints checkpoints = open(2);
    const Checkpoints::Choice choice = checkpoints.newest_good();
    ASSERT_TRUE(choice.directory);
    EXPECT_TRUE(choice.skipped.empty()) << choice.skipped.front();
    EXPECT_EQ(fs::path(*choice.directory).filename().string() + "\n", bytes_of(directory("latest")));
    for (const std::string& name : names_in(directory())) {
      if (name == "latest") continue;
      EXPECT_TRUE(find_damage(directory(name)).empty()) << name;
    }
  }
}

class DamagedCheckpointTest : public CheckpointsTest {
 protected:
  void for_each_file(const std::function<void(const std::string& path, const std::string& bytes)>& damage) {
    const Checkpoints checkpoints = open(1);
    path_ = tiny_.save(checkpoints, 200);
    for (const std::string& name : names_in(path_)) {
      const std::string bytes = bytes_of(path_ + "/" + name);
      damage(path_ + "/" + name, bytes);
      write_bytes(path_ + "/" + name, bytes);
    }
    EXPECT_EQ(checkpoints.newest_good().directory, path_);
  }

  void expect_damage(const std::string& file, size_t at) {
    try {
      verify_directory(path_);
      ADD_FAILURE() << file << ": damage at byte " << at << " was not found";
    } catch (const DamagedFileError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with(file)) << error.what();
    }
  }

  std::string path_;
};

TEST_F(DamagedCheckpointTest, EveryFlippedByteIsFound) {
  for_each_file([&](const std::string& file, const std::string& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      flip_byte(file, i);
      expect_damage(file, i);
      flip_byte(file, i);
    }
  });
}

TEST_F(DamagedCheckpointTest, EveryTruncationIsFound) {
  for_each_file([&](const std::string& file, const std::string& bytes) {
    for (size_t length = bytes.size(); length-- > 0;) {
      fs::resize_file(file, length);
      expect_damage(file, length);
    }
  });
}

TEST_F(DamagedCheckpointTest, EveryFlippedByteOfATensorNamesIt) {
  path_ = tiny_.save(open(1), 200);
  size_t flipped = 0;
  for (const FileRecord& file : Manifest::read(path_).files) {
    for (const TensorRecord& tensor : file.tensors) {
      for (uint64_t i = tensor.offset; i < tensor.offset + tensor.bytes; ++i, ++flipped) {
        flip_byte(path_ + "/" + file.name, i);
        const std::vector<Damage> damage = find_damage(path_);
        flip_byte(path_ + "/" + file.name, i);
        ASSERT_EQ(damage.size(), 1u) << file.name << " at " << i;
        EXPECT_EQ(damage[0].tensor, tensor.name) << file.name << " at " << i;
      }
    }
  }
  const TrainingState& state = tiny_.state;
  const size_t members =
      9 * sizeof(int64_t) + state.optimizer.size() + state.configuration.size() + state.identity.model.size();
  EXPECT_EQ(flipped, 3 * 32 + members) << "weights, two moments, and the members of the state";
}

TEST_F(DamagedCheckpointTest, AppendedBytesAnEmptyAndAMissingFileAreFound) {
  for_each_file([&](const std::string& file, const std::string& bytes) {
    for (const std::string& other : {bytes + std::string(1, '\0'), bytes + "\n", bytes + bytes, std::string()}) {
      write_bytes(file, other);
      expect_damage(file, other.size());
    }
    fs::remove(file);
    expect_damage(file, 0);
    fs::create_directory(file);
    EXPECT_THROW(verify_directory(path_), Error) << file << " is a directory";
    fs::remove(file);
  });
}

TEST_F(DamagedCheckpointTest, AFileOfAnotherCheckpointIsFound) {
  TinyCheckpoint other;
  for (std::vector<float>* values : {&other.weight, &other.first_weight}) (*values)[0] += 1;
  const std::string there = other.save(Checkpoints(parent_ / "other", 1), 201);
  for_each_file([&](const std::string& file, const std::string& bytes) {
    const std::string others = bytes_of(there + "/" + fs::path(file).filename().string());
    if (others == bytes) return;  // config.json and vocab.txt
    write_bytes(file, others);
    EXPECT_THROW(verify_directory(path_), DamagedFileError) << file;
  });
}

// Byte by byte, with strides for the time it takes.
TEST_F(DamagedCheckpointTest, ResumingFallsBackWhateverTheDamage) {
  const Checkpoints checkpoints = open(2);
  const std::string older = tiny_.save(checkpoints, 100);
  path_ = tiny_.save(checkpoints, 200);
  const auto expect_fall_back = [&](const std::string& file) {
    const Checkpoints::Choice choice = checkpoints.newest_good();
    ASSERT_EQ(choice.directory, older) << file;
    ASSERT_EQ(choice.skipped.size(), 1u);
    EXPECT_EQ(choice.skipped[0].find(path_), 0u) << choice.skipped[0];
    EXPECT_EQ(choice.skipped[0].find('\n'), std::string::npos) << choice.skipped[0];
  };
  for (const std::string& name : names_in(path_)) {
    const std::string file = path_ + "/" + name;
    const std::string bytes = bytes_of(file);
    for (size_t i = 0; i < bytes.size(); i += 7) {
      flip_byte(file, i);
      expect_fall_back(file);
      flip_byte(file, i);
    }
    for (size_t length = 0; length < bytes.size(); length += 13) {
      write_bytes(file, bytes.substr(0, length));
      expect_fall_back(file);
    }
    write_bytes(file, bytes);
  }
  EXPECT_EQ(checkpoints.newest_good().directory, path_);
}

}  // namespace
}  // namespace bertha
