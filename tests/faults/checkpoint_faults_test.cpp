#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "autograd/core/error.h"
#include "data/file.h"
#include "tests/faults/crash_points.h"
#include "tests/train/checkpoint/names_in.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "train/checkpoint/atomic_directory.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Directory = const std::string&;
using Files = std::map<std::string, std::string>;

Files files_of(const std::string& directory) {
  Files files;
  for (const std::string& name : names_in(directory)) files[name] = bytes_of(directory + "/" + name);
  return files;
}

/// Another model at every step.
TinyCheckpoint checkpoint_of(int64_t step) {
  TinyCheckpoint tiny;
  tiny.weight[0] = tiny.first_weight[0] = static_cast<float>(step);
  tiny.state.step = step;
  return tiny;
}

std::string save(const Checkpoints& checkpoints, int64_t step) {
  return checkpoint_of(step).save(checkpoints, step);
}

// The end of an action is one of its calls, so that a fault behind everything else is tried as well.
constexpr const char* kEnd = "/end";

void mark_end(Directory directory) {
  const bool made = mkdir((directory + kEnd).c_str(), 0777) == 0;
  check<Error>(made, directory, kEnd, ": cannot be made: ", std::strerror(errno));
}

class CheckpointFaults : public testing::Test {
 protected:
  static constexpr int kKeep = 2;

  static std::string place(Directory directory) { return directory + "/run/checkpoints"; }
  static Checkpoints open(Directory directory) { return {place(directory), kKeep}; }

  /// What the checkpoint of a step must hold.
  const Files& expected(const std::string& name) {
    Files& files = expected_[name];
    if (files.empty()) {
      const TemporaryDirectory folder;
      files = files_of(save(Checkpoints(folder.path(), 1), std::stol(name.substr(name.find('-') + 1))));
    }
    return files;
  }

  /// Whoever looks at any moment sees whole checkpoints, and `latest` naming one.
  void expect_no_half_one(Directory directory) {
    if (!fs::exists(place(directory))) return;
    for (const std::string& name : names_in(place(directory))) {
      const bool is_checkpoint = name.starts_with("step-") && name.find('.') == std::string::npos;
      EXPECT_TRUE(!is_checkpoint || files_of(place(directory) + "/" + name) == expected(name)) << name;
    }
    const std::string latest = place(directory) + "/latest";
    if (!fs::exists(latest)) return;
    const std::string name = bytes_of(latest);
    EXPECT_TRUE(name.ends_with('\n') && fs::exists(place(directory) + "/" + name.substr(0, name.size() - 1))) << name;
  }

  /// The next start finds one of these steps, or none where `nothing` is among them, and no rubbish. Saving works.
  void expect_next_start(Directory directory, const std::set<int64_t>& steps, int64_t next_step) {
    const Checkpoints checkpoints = open(directory);
    const Checkpoints::Choice choice = checkpoints.newest_good();
    EXPECT_TRUE(choice.skipped.empty()) << choice.skipped.front();
    const int64_t step = choice.directory ? TrainingStateFile(*choice.directory).state().step : kNothing;
    EXPECT_TRUE(steps.contains(step)) << step;
    for (const std::string& name : names_in(place(directory))) {
      EXPECT_TRUE(name == "latest" || (name.starts_with("step-") && name.find('.') == std::string::npos)) << name;
    }
    expect_no_half_one(directory);
    save(checkpoints, next_step);
    EXPECT_EQ(open(directory).newest_good().directory, place(directory) + "/step-00000" + std::to_string(next_step));
    EXPECT_LE(names_in(place(directory)).size(), kKeep + 1u);
    expect_no_half_one(directory);
  }

  static constexpr int64_t kNothing = -1;

  void try_save(const std::function<void(Directory)>& prepare, int64_t old_step, int64_t new_step,
                CrashPoints::Exchange exchange) {
    const CrashPoints points(
        prepare,
        [&](Directory directory) {
          save(open(directory), new_step);
          mark_end(directory);
        },
        exchange);
    const auto look = [&](const Fault& fault, const Ending& ending) {
      expect_no_half_one(points.directory());
      const bool done = fault.at == std::ssize(points.calls()) || (!ending.killed && ending.sentence.empty());
      expect_next_start(points.directory(), done ? std::set{new_step} : std::set{old_step, new_step}, new_step + 100);
    };
    points.at_every_call(kEnds, 1, look);
    points.at_every_call(kErrors, 1, look);
  }

  std::map<std::string, Files> expected_;
};

TEST_F(CheckpointFaults, TheFirstSaveIsWholeOrNothing) {
  try_save([](Directory) {}, kNothing, 100, CrashPoints::Exchange::kSupported);
}

TEST_F(CheckpointFaults, ASaveThatRemovesAnOldOneKeepsTheLastOrTheNew) {
  const auto two_older = [](Directory directory) {
    for (const int64_t step : {100, 200}) save(open(directory), step);
  };
  try_save(two_older, 200, 300, CrashPoints::Exchange::kSupported);
}

// A step that is saved once more, as after a resume from an older one, takes the other's place.
class ReplacingFaults : public CheckpointFaults, public testing::WithParamInterface<CrashPoints::Exchange> {
 protected:
  static void save_other(Directory directory) {
    TinyCheckpoint other = checkpoint_of(200);
    other.weight[1] = 42;
    other.save(open(directory), 200);
  }
};

TEST_P(ReplacingFaults, ASaveOfTheSameStepIsTheOldOrTheNew) {
  const TemporaryDirectory folder;
  TinyCheckpoint twice = checkpoint_of(200);
  twice.weight[1] = 42;
  const Files second = files_of(twice.save(Checkpoints(folder.path(), 1), 200));
  const CrashPoints points([](Directory directory) { save(open(directory), 200); }, &save_other, GetParam());
  const auto look = [&](const Fault&, const Ending&) {
    const Checkpoints::Choice choice = open(points.directory()).newest_good();
    EXPECT_TRUE(choice.skipped.empty()) << choice.skipped.front();
    ASSERT_TRUE(choice.directory);
    const Files found = files_of(*choice.directory);
    EXPECT_TRUE(found == second || found == expected("step-00000200"));
    EXPECT_EQ(names_in(place(points.directory())), (std::set<std::string>{"latest", "step-00000200"}));
  };
  points.at_every_call(kEnds, 1, look);
  points.at_every_call(kErrors, 1, look);
}

void publish(const std::string& path, float value) {
  TinyCheckpoint tiny;
  tiny.weight[0] = value;
  publish_model(path, tiny.model());
}

TEST_P(ReplacingFaults, AModelDirectoryIsTheOldOrTheNew) {
  const TemporaryDirectory folder;
  std::vector<Files> whole;
  for (const float value : {1.0f, 2.0f}) {
    publish(folder / "best", value);
    whole.push_back(files_of(folder / "best"));
  }
  const CrashPoints points([&](Directory directory) { publish(directory + "/best", 1); },
                           [&](Directory directory) {
                             publish(directory + "/best", 2);
                             mark_end(directory);
                           },
                           GetParam());
  const auto look = [&](const Fault& fault, const Ending& ending) {
    fs::remove(points.directory() + kEnd);
    recover_directory(points.directory());
    EXPECT_EQ(names_in(points.directory()), std::set<std::string>{"best"});
    const Files found = files_of(points.directory() + "/best");
    const bool done = fault.at == std::ssize(points.calls()) || (!ending.killed && ending.sentence.empty());
    EXPECT_TRUE(found == whole[1] || (!done && found == whole[0]));
  };
  points.at_every_call(kEnds, 1, look);
  points.at_every_call(kErrors, 1, look);
}

// The process is killed while it replaces, the next start tidies, and then the machine fails.
TEST_P(ReplacingFaults, TidyingAfterAKillOutlivesAFailingMachine) {
  // As it stands between the exchange and the sync behind it.
  const auto replace_unsynced = [](Directory directory) {
    if (GetParam() == CrashPoints::Exchange::kSupported) {
      const std::string other = directory + "/best.tmp-bertha-1";
      check<Error>(renameat2(AT_FDCWD, other.c_str(), AT_FDCWD, (directory + "/best").c_str(), RENAME_EXCHANGE) == 0,
                   other, ": cannot be exchanged");
    } else {
      fs::rename(directory + "/best", directory + "/best.old-bertha-1");
      fs::rename(directory + "/best.tmp-bertha-1", directory + "/best");
    }
  };
  const TemporaryDirectory folder;
  std::vector<Files> whole;
  for (const float value : {1.0f, 2.0f}) {
    publish(folder / "model", value);
    whole.push_back(files_of(folder / "model"));
  }
  const CrashPoints points(
      [&](Directory directory) {
        publish(directory + "/best", 1);
        publish(directory + "/best.tmp-bertha-1", 2);
      },
      [&](Directory directory) {
        replace_unsynced(directory);
        recover_directory(directory);
      },
      GetParam());
  points.at_every_call(kEnds, 1, [&](const Fault&, const Ending&) {
    recover_directory(points.directory());
    EXPECT_EQ(names_in(points.directory()), std::set<std::string>{"best"});
    const Files found = files_of(points.directory() + "/best");
    EXPECT_TRUE(found == whole[0] || found == whole[1]);
  });
}

INSTANTIATE_TEST_SUITE_P(With, ReplacingFaults,
                         testing::Values(CrashPoints::Exchange::kSupported, CrashPoints::Exchange::kRefused),
                         [](const auto& of) {
                           return of.param == CrashPoints::Exchange::kSupported ? "exchange" : "two_renames";
                         });

TEST_F(CheckpointFaults, ASmallFileIsTheOldOrTheNew) {
  const CrashPoints points([](Directory directory) { write_bytes(directory + "/config.yaml", "task: mlm\n"); },
                           [](Directory directory) { write_durably(directory + "/config.yaml", "task: mlm_nsp\n"); },
                           CrashPoints::Exchange::kSupported);
  const auto look = [&](const Fault&, const Ending&) {
    const std::string found = bytes_of(points.directory() + "/config.yaml");
    EXPECT_TRUE(found == "task: mlm\n" || found == "task: mlm_nsp\n") << found;
    write_durably(points.directory() + "/config.yaml", "task: mlm_nsp\n");
    EXPECT_EQ(names_in(points.directory()), std::set<std::string>{"config.yaml"});
  };
  points.at_every_call(kEnds, 1, look);
  points.at_every_call(kErrors, 1, look);
}

}  // namespace
}  // namespace bertha
