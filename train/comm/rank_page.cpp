#include "train/comm/rank_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "autograd/core/error.h"

namespace bertha {
namespace {

// Processes that see each other by number have these in common.
std::string machine() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::array<char, 64> processes = {};
  if (readlink("/proc/self/ns/pid", processes.data(), processes.size() - 1) < 0) processes[0] = '\0';
  return boot + " " + processes.data();
}

int make_memory(size_t bytes) {
  const int descriptor = memfd_create("bertha-ranks", MFD_CLOEXEC);
  const bool made = descriptor >= 0 && ftruncate(descriptor, static_cast<off_t>(bytes)) == 0;
  check<Error>(made, "shared memory: cannot be made (", std::strerror(errno), ")");
  return descriptor;
}

// "PID/fd/DESCRIPTOR MACHINE", by which others on the machine find the memory.
std::string invitation(int descriptor) {
  return std::to_string(getpid()) + "/fd/" + std::to_string(descriptor) + " " + machine();
}

std::string_view machine_of(std::string_view invitation) {
  return invitation.substr(invitation.find(' '));
}

}  // namespace

RankPage::RankPage() {
  const int descriptor = make_memory(bytes());
  map(descriptor);
  close(descriptor);
}

RankPage::RankPage(Communicator& communicator) : rank_(communicator.rank()), size_(communicator.size()) {
  const int own = make_memory(bytes());
  const std::vector<std::string> all = communicator.all_gather(invitation(own));
  const auto leader =
      std::ranges::find(all, machine_of(all[static_cast<size_t>(rank_)]), [](auto& text) { return machine_of(text); });
  int shared = -1;
  if (leader - all.begin() != rank_) {
    shared = open(("/proc/" + leader->substr(0, leader->find(' '))).c_str(), O_RDWR | O_CLOEXEC);
  }
  map(shared >= 0 ? shared : own);  // where /proc is closed to others, each watches itself
  communicator.barrier();
  if (shared >= 0) close(shared);
  close(own);
}

RankPage::~RankPage() {
  use_record(nullptr);
  munmap(header_, bytes());
}

void RankPage::map(int descriptor) {
  void* memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  check<Error>(memory != MAP_FAILED, "shared memory: cannot be mapped (", std::strerror(errno), ")");
  header_ = static_cast<Header*>(memory);
  use_record(&record(rank_));
  record(rank_).pid = getpid();
}

bool RankPage::take_word() {
  return !header_->word_taken.exchange(true);
}

}  // namespace bertha
