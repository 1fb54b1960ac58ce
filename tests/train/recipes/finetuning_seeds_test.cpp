#include "train/recipes/finetuning_seeds.h"

#include <csignal>

#include "tests/train/mpirun.h"
#include "tests/train/recipes/small_tables.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

class FinetuningSeeds : public SmallTables {
 protected:
  // Signals itself at the first of the notes, or lines of metrics, for which `is_moment` holds.
  template <class IsMoment>
  Trainer::Outcome run(Communicator& communicator, const FinetuneConfig& config, IsMoment is_moment) {
    bool sent = false;
    const auto at = [&](const std::string& what) {
      if (std::exchange(sent, sent || is_moment(what)) != sent) std::raise(SIGUSR1);
    };
    return finetune_seeds(
        config, communicator,
        {.note =
             [&](const std::string& note) {
               notes_ += note + "\n";
               at(note);
             },
         .metrics = [&](const MetricsLine& line, int64_t) { at(line.phase + " " + std::to_string(line.step)); }});
  }
  FinetuneConfig two_seeds() const { return config({"seeds=[1, 2]"}); }
};

TEST_F(FinetuningSeeds, StopBetweenTwoWhereASignalCameAtTheEndOfOne) {
  SelfCommunicator self;
  for (const std::string moment : {"checkpoint 2", "finished"}) {
    fs::remove_all(folder_ / "run");
    EXPECT_EQ(run(self, two_seeds(), [&](const std::string& what) { return what.starts_with(moment); }),
              Trainer::Outcome::kStopped)
        << moment;
    EXPECT_TRUE(fs::exists(folder_ / "run/seed-1/model")) << "the end of a run is not broken off";
    EXPECT_FALSE(fs::exists(folder_ / "run/seed-2")) << moment;
    EXPECT_NE(notes_.find("stopped by a signal before seed 2"), std::string::npos) << notes_;
  }
  EXPECT_EQ(run(self, two_seeds(), [](const std::string&) { return false; }), Trainer::Outcome::kFinished);
  EXPECT_TRUE(fs::exists(folder_ / "run/results.json"));
}

TEST_F(FinetuningSeeds, StopOnEveryRankWhereOneHasASignal) {
  if (!under_mpirun()) {
    setenv("BERTHA_TEST_FOLDER", folder_.path().c_str(), 1);
    return expect_success_under_mpirun(2);
  }
  const std::string folder = std::getenv("BERTHA_TEST_FOLDER");
  const auto communicator = make_communicator();
  const FinetuneConfig both = config({"seeds=[1, 2]", "data.train=" + folder + "/train.tsv",
                                      "output=" + folder + "/run", "training.micro_batch_size=2"});
  // Only rank 0 is told anything, and so gets the signal.
  const auto outcome = run(*communicator, both, [](const std::string& what) { return what == "checkpoint 2"; });
  EXPECT_EQ(outcome, Trainer::Outcome::kStopped);
  EXPECT_FALSE(fs::exists(folder + "/run/seed-2"));
}

}  // namespace
}  // namespace bertha
