#include "train/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

TEST(Process, RangesAreShort) {
  EXPECT_EQ(ranges_text({}), "");
  EXPECT_EQ(ranges_text({5}), "5");
  EXPECT_EQ(ranges_text({0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
}

TEST(Process, RunsSomewhereInSomeMemory) {
  EXPECT_FALSE(usable_processors().empty());
  EXPECT_GT(peak_rss_mib(), 1);
}

// How a child that ends by `end` has ended, asked before its parent was told, and then.
std::pair<int, int> statuses(void (*end)()) {
  const pid_t child = fork();
  if (child == 0) {
    end();
    _exit(0);
  }
  const int descriptor = open_process(child);
  pollfd polled = {descriptor, POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, 10'000), 1) << "a descriptor tells that its process has ended";
  const int as_others_see_it = end_status(child, descriptor);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(end_status(child, descriptor) == status || end_status(child, descriptor) == -1) << "afterwards";
  close(descriptor);
  return {as_others_see_it, status};
}

TEST(Process, OthersSeeHowAProcessEnded) {
  const auto [killed, killed_status] = statuses([] { raise(SIGKILL); });
  EXPECT_EQ(killed, killed_status);
  EXPECT_EQ(end_text(killed), "killed by signal 9");
  EXPECT_EQ(exit_code_of(killed), 137);
  const auto [exited, exited_status] = statuses([] { _exit(3); });
  EXPECT_EQ(exited, exited_status);
  EXPECT_EQ(end_text(exited), "exited with code 3");
  EXPECT_EQ(exit_code_of(exited), 3);
}

// Reading of a process that is gone since its file was opened is an error of the system.
TEST(Process, MayBeAskedForMeanwhile) {
  for (int i = 0; i < 300; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(7);
    std::atomic<bool> gone = false;
    std::thread asks([&] {
      while (!gone) {
        const int status = end_status(child, -1);
        EXPECT_TRUE(status == -1 || exit_code_of(status) == 7) << status;
      }
    });
    usleep(200);
    waitpid(child, nullptr, 0);
    gone = true;
    asks.join();
  }
}

}  // namespace
}  // namespace bertha
