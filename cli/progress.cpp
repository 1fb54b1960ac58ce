#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "autograd/core/parallel.h"
#include "train/duration.h"
#include "train/process.h"

namespace bertha {
namespace {

constexpr std::chrono::milliseconds kLivePause{200};
constexpr std::chrono::seconds kPlainPause{5};

double value(const MetricsLine& line, std::string_view name) {
  for (const auto& [known, number] : line.values) {
    if (known == name) return number;
  }
  return 0;
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO)), color_(terminal_ && !std::getenv("NO_COLOR")) {}

void Progress::note(const std::string& sentence) {
  end_live_line();
  fmt::print(stderr, "{}\n", sentence);
}

void Progress::metrics(const MetricsLine& line, int64_t steps) {
  if (line.phase == "train") return training(line, steps);
  if (line.phase == "evaluation") {
    std::string text = fmt::format("step {} evaluation:", line.step);
    for (const auto& [name, number] : line.values) {
      if (name != "elapsed_s") text += fmt::format(" {} {:.4f}", name, number);
    }
    note(color_ ? "\033[1m" + text + "\033[0m" : text);
  }
}

void Progress::training(const MetricsLine& line, int64_t steps) {
  const auto now = Clock::now();
  const double done = steps ? static_cast<double>(line.step) / static_cast<double>(steps) : value(line, "budget_share");
  if (first_ == Clock::time_point{} || done < done_) {  // the first line, also of the next seed's run
    first_ = now;
    first_done_ = done;
  }
  done_ = done;
  const bool last = line.step == steps;
  if (!last && now - last_ < (terminal_ ? Clock::duration(kLivePause) : Clock::duration(kPlainPause))) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - first_).count();
  const double left = done > first_done_ ? elapsed / (done - first_done_) * (1 - done) : 0;
  const std::string step =
      steps ? fmt::format("{}/{}", line.step, steps) : fmt::format("{} ({:.1f} % of the time)", line.step, 100 * done);
  const std::string text =
      fmt::format("step {} loss {:.4f} lr {:.2e} norm {:.2f} {:.0f} tokens/s mfu {:.0f} % left {}", step,
                  value(line, "loss"), value(line, "learning_rate"), value(line, "grad_norm"),
                  value(line, "tokens_per_s"), 100 * value(line, "mfu"), clock_text(left));
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
    live_ = true;
  } else {
    note(text);
  }
}

void Progress::end_live_line() {
  if (live_) fmt::print(stderr, "\n");
  live_ = false;
}

void warn_of_crowded_cores(Communicator& communicator, Progress& progress) {
  const std::vector<int> cores = usable_processors();
  int64_t crowded = !cores.empty() && num_threads() > std::ssize(cores);
  communicator.all_reduce_sum(std::span<int64_t>(&crowded, 1));
  if (crowded == 0 || communicator.rank() != 0) return;
  progress.note(
      fmt::format("warning: {} of {} ranks have more threads than cores they may use (mpirun binds each rank; "
                  "--bind-to none lifts that)",
                  crowded, communicator.size()));
}

}  // namespace bertha
