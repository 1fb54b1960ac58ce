#include "train/comm/failure_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "autograd/core/exit_code.h"
#include "autograd/core/parallel.h"
#include "data/printable.h"
#include "train/comm/rank_page.h"
#include "train/duration.h"
#include "train/process.h"
#include "train/stop_signal.h"

namespace bertha {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{100};
// Processor time that counts as getting on; what a thread takes that waits in the kernel is far below.
constexpr milliseconds kWork{20};
constexpr milliseconds kAgreement{700};     // for the other ranks of this machine to fail for the same reason
constexpr milliseconds kOtherNodes{1500};   // for rank 0's machine to speak first
constexpr milliseconds kEnding{2500};       // for the launcher to end this process
constexpr milliseconds kUnwinding{1500};    // from where an error is thrown to end_with_failure
constexpr milliseconds kLinger{300};        // after SIGTERM, for the watching thread to say why it came
constexpr milliseconds kTermination{5000};  // after SIGTERM, in which launchers kill what is left

constexpr int kWake = 0, kLauncher = 1, kFirstRank = 2;  // places in the list of what is polled

Voice g_voice = [](const std::string&) {};

milliseconds spent(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                  std::chrono::nanoseconds(time.tv_nsec));
}

std::string sentence_of(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error)) return "out of memory";
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return printable(file->path1().native()) + ": " + file->code().message();
  }
  return error.what();
}

// Launchers end all ranks as soon as they see one end, at first with SIGTERM.
void linger(int number) {
  const timespec time = {0, std::chrono::nanoseconds(kLinger).count()};
  nanosleep(&time, nullptr);
  std::signal(number, SIG_DFL);
  std::raise(number);
}

// Time since a number last changed, by the clock of a watcher that may have been stopped itself.
class Stillness {
 public:
  milliseconds since_change(uint32_t value, milliseconds tick) {
    still_ = value == value_ ? still_ + tick : milliseconds(0);
    value_ = value;
    return still_;
  }

 private:
  uint32_t value_ = 0;
  milliseconds still_{0};
};

class FailureWatch {
 public:
  explicit FailureWatch(std::unique_ptr<RankPage> page) : page_(std::move(page)) {
    pollfd none = {-1, POLLIN, 0};
    polled_.assign(static_cast<size_t>(kFirstRank + page_->size()), none);
    polled_[kWake].fd = eventfd(0, EFD_CLOEXEC);
    for (int rank = 0; rank < page_->size(); ++rank) {
      if (rank != page_->rank() && page_->is_here(rank)) polled(rank).fd = open_process(page_->record(rank).pid);
    }
    stillness_.resize(static_cast<size_t>(page_->size()));
  }

  ~FailureWatch() {
    page_->record(page_->rank()).state = RankRecord::State::kDone;
    if (thread_.joinable()) {
      thread_.request_stop();
      eventfd_write(polled_[kWake].fd, 1);
      thread_.join();
    }
    if (lingers_) std::signal(SIGTERM, SIG_DFL);
    for (const pollfd& watched : polled_) {
      if (watched.fd >= 0) close(watched.fd);
    }
  }
  FailureWatch(const FailureWatch&) = delete;
  FailureWatch& operator=(const FailureWatch&) = delete;

  void watch_launcher() {
    launched_ = true;
    polled_[kLauncher].fd = open_process(getppid());
    struct sigaction action = {};
    sigaction(SIGTERM, nullptr, &action);
    lingers_ = action.sa_handler == SIG_DFL;  // not where StopSignals note it, which then is a wish to stop
    action.sa_handler = linger;
    if (lingers_) sigaction(SIGTERM, &action, nullptr);
  }

  void start() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals go to threads that expect them
    thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void set_limit(std::chrono::seconds limit) { limit_ = limit.count(); }

  void announce(const std::string& sentence, int exit_code) {
    if (!launched_) return;
    note_failure(sentence);
    announced_ = exit_code;
  }

  int fail(const std::string& sentence, int exit_code) {
    note_failure(sentence);
    if (!launched_) {
      g_voice(place_named(page_->rank(), sentence));
      return exit_code;
    }
    end_because_of_own(sentence, exit_code);
  }

 private:
  void note_failure(const std::string& sentence) {
    RankRecord& own = page_->record(page_->rank());
    const size_t length = sentence.copy(own.sentence.data(), own.sentence.size() - 1);
    own.sentence[length] = '\0';
    own.state = RankRecord::State::kFailed;
  }

  [[noreturn]] void end_because_of_own(const std::string& sentence, int exit_code) {
    std::signal(SIGTERM, SIG_IGN);  // the launcher's, if another rank ended meanwhile
    if (page_->take_word()) {
      // Rank 0 reads on behalf of all, and all have the same configuration.
      const bool is_first = page_->rank() == 0 && page_->record(0).step == 0;
      const bool shared = (is_first && exit_code == kExitConfiguration) || every_rank_says_the_same();
      if (!page_->is_here(0)) std::this_thread::sleep_for(kOtherNodes);
      g_voice(shared ? sentence : place_named(page_->rank(), sentence));
      abort_all_ranks(exit_code);
    }
    std::this_thread::sleep_for(kEnding);
    std::_Exit(exit_code);
  }

  pollfd& polled(int rank) { return polled_[static_cast<size_t>(kFirstRank + rank)]; }

  bool every_rank_says_the_same() const {
    const std::string_view own = page_->record(page_->rank()).sentence.data();
    const auto says_it = [&](int rank) {
      const RankRecord& record = page_->record(rank);
      return record.state == RankRecord::State::kFailed && record.sentence.data() == own;
    };
    for (const auto end = Clock::now() + kAgreement; Clock::now() < end;) {
      bool all = true;
      for (int rank = 0; rank < page_->size(); ++rank) all = all && (!page_->is_here(rank) || says_it(rank));
      if (all) return page_->size() > 1;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }

  // `rank 1 of 2: CAUSE at step 12 in backward`; alone without the rank, and without a place before the first step.
  std::string place_named(int rank, const std::string& cause) const {
    const RankRecord& record = page_->record(rank);
    const bool alone = page_->size() == 1;
    const bool says_step = cause.find("step " + std::to_string(record.step)) != std::string::npos;
    std::string sentence = alone ? "" : "rank " + std::to_string(rank) + " of " + std::to_string(page_->size()) + ": ";
    sentence += cause;
    if (alone && (record.step == 0 || says_step)) return sentence;
    return sentence + " " + place_text(record);
  }

  void watch(const std::stop_token& stop) {
    use_all_processors();
    for (Clock::time_point last = Clock::now(); !stop.stop_requested();) {
      poll(polled_.data(), polled_.size(), static_cast<int>(kTick.count()));
      const Clock::time_point now = Clock::now();
      // A watcher that was stopped has seen nothing meanwhile.
      const auto tick = std::min(std::chrono::ceil<milliseconds>(now - last), 2 * kTick);
      last = now;
      if (stop.stop_requested()) return;
      beat();
      if (polled_[kLauncher].revents != 0) std::_Exit(1);
      for (int rank = 0; rank < page_->size(); ++rank) {
        if (has_ended(rank)) end_because_of(rank);
      }
      if (limit_ > 0) look_for_stalls(tick);
      if (announced_ != 0 && (unwinding_ += tick) > kUnwinding) {
        end_because_of_own(page_->record(page_->rank()).sentence.data(), announced_);
      }
    }
  }

  // Tells the others how this process is.
  void beat() {
    RankRecord& own = page_->record(page_->rank());
    ++own.pulse;
    const milliseconds computed = spent(CLOCK_PROCESS_CPUTIME_ID) - spent(CLOCK_THREAD_CPUTIME_ID);
    const uint32_t marks = own.marks;
    const bool waits = own.exchanging > 0;  // which takes processor time, too
    if (marks != marks_ || (!waits && computed - computed_ >= kWork)) ++own.work;
    if (waits || computed - computed_ >= kWork) computed_ = computed;
    marks_ = marks;
  }

  bool has_ended(int rank) {
    if (rank == page_->rank() || !page_->is_here(rank)) return false;
    const pollfd& watched = polled(rank);
    const bool ended = watched.fd >= 0 ? watched.revents != 0 : kill(page_->record(rank).pid, 0) != 0 && errno == ESRCH;
    if (!ended || page_->record(rank).state != RankRecord::State::kDone) return ended;
    if (polled(rank).fd >= 0) close(std::exchange(polled(rank).fd, -1));
    return false;
  }

  // By request and not because of a rank that ended, which this one would see within moments, too.
  static bool launcher_ends_all() {
    const auto since = StopSignals::since_termination();
    return since && *since > kLinger && *since < kTermination;
  }

  [[noreturn]] void end_because_of(int rank) {
    if (!launcher_ends_all() && page_->take_word()) g_voice(place_named(rank, cause_of_end(rank)));
    std::this_thread::sleep_for(kEnding);
    std::_Exit(1);
  }

  std::string cause_of_end(int rank) {
    const RankRecord& record = page_->record(rank);
    if (record.state == RankRecord::State::kFailed) return record.sentence.data();
    int status = -1;
    for (int i = 0; i < 20 && status < 0; ++i) {
      status = end_status(record.pid, polled(rank).fd);
      if (status < 0) std::this_thread::sleep_for(milliseconds(5));
    }
    if (status < 0) return "ended without a word";
    const bool memory = exit_code_of(status) == 128 + SIGKILL && out_of_memory_kills() > out_of_memory_kills_;
    return end_text(status) + (memory ? ", for memory ran out," : "");
  }

  void look_for_stalls(milliseconds tick) {
    const milliseconds limit = std::chrono::seconds(limit_);
    bool all_wait = true;  // for each other
    int idle_rank = -1, stopped_rank = -1;
    for (int rank = 0; rank < page_->size(); ++rank) {
      const RankRecord& record = page_->record(rank);
      Still& still = stillness_[static_cast<size_t>(rank)];
      const bool runs = page_->is_here(rank) && record.state == RankRecord::State::kRunning;
      const milliseconds without_pulse = still.pulse.since_change(record.pulse, tick);
      const bool idle = still.work.since_change(record.work, tick) >= limit;
      // Work may have ended a little before the process was stopped.
      const bool stopped = without_pulse >= limit || (idle && without_pulse >= limit / 2);
      const bool waits = record.exchanging > 0;
      all_wait = all_wait && runs && idle && waits;
      if (runs && stopped && stopped_rank < 0) stopped_rank = rank;
      if (runs && idle && !waits && idle_rank < 0) idle_rank = rank;
    }
    if (stopped_rank >= 0) return end_stalled(stopped_rank, "stopped");
    if (idle_rank >= 0) return end_stalled(idle_rank, "no progress");
    if (all_wait) end_stalled(0, "no answer from the others");
  }

  void end_stalled(int rank, const std::string& cause) {
    if (!page_->take_word()) return;
    const std::string limit = to_text(std::chrono::seconds(limit_));
    g_voice(place_named(rank, cause + " for " + limit + " (communication.stall_limit)"));
    std::_Exit(1);
  }

  struct Still {
    Stillness pulse, work;
  };

  std::unique_ptr<RankPage> page_;
  std::vector<pollfd> polled_;
  std::vector<Still> stillness_;  // by rank
  std::atomic<int64_t> limit_ = 0;
  const int64_t out_of_memory_kills_ = out_of_memory_kills();
  std::atomic<int> announced_ = 0;  // the exit code of an error on its way
  milliseconds unwinding_{0};       // since then
  bool launched_ = false;
  bool lingers_ = false;
  uint32_t marks_ = 0;
  milliseconds computed_{0};
  std::jthread thread_;
};

std::unique_ptr<FailureWatch> g_watch;

}  // namespace

void say_failures_by(Voice voice) {
  g_voice = voice;
}

void watch_ranks(Communicator& communicator) {
  g_watch = std::make_unique<FailureWatch>(std::make_unique<RankPage>(communicator));
  g_watch->watch_launcher();
  g_watch->start();
}

void stop_watching() {
  g_watch.reset();
}

void watch_for_stalls(std::chrono::seconds limit) {
  if (!g_watch) {
    g_watch = std::make_unique<FailureWatch>(std::make_unique<RankPage>());
    g_watch->start();
  }
  g_watch->set_limit(limit);
}

int end_with_failure(const std::exception& error) {
  if (g_watch) return g_watch->fail(sentence_of(error), exit_code_of(error));
  let_lower_ranks_report();
  g_voice(sentence_of(error));
  return exit_code_of(error);
}

void announce_failure(const std::exception& error) {
  if (g_watch) g_watch->announce(sentence_of(error), exit_code_of(error));
}

}  // namespace bertha
