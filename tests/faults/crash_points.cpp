#include "tests/faults/crash_points.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "tests/faults/layer/fault_layer.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

// How often it is drawn what survives where not all is lost.
uint64_t lots() {
  return std::getenv("BERTHA_EVERY_FAULT") ? 12 : 4;
}

void copy_tree(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

std::vector<Fault> faults_at(const CountedCall& call, int64_t at, const std::vector<std::string>& kinds) {
  std::vector<Fault> faults;
  for (const std::string& kind : kinds) {
    const bool needs_write = kind == "kill-half" || kind == "short";
    if (needs_write && call.name != "write") continue;
    for (uint64_t lot = 0; lot < (kind == "lose-some" ? lots() : 1); ++lot) faults.push_back({kind, at, lot});
  }
  return faults;
}

}  // namespace

CrashPoints::CrashPoints(const std::function<void(const std::string&)>& prepare,
                         std::function<void(const std::string&)> action, Exchange exchange)
    : action_(std::move(action)), exchange_(exchange) {
  use_one_thread();
  fs::create_directories(directory_);
  prepare(directory_);
  fs::copy(directory_, before_, fs::copy_options::recursive);
  const Ending ending = run({});
  EXPECT_FALSE(ending.killed);
  EXPECT_EQ(ending.sentence, "");
  calls_ = read_trace();
}

std::vector<CountedCall> CrashPoints::read_trace() const {
  std::vector<CountedCall> calls;
  std::ifstream trace(trace_);
  for (CountedCall call; trace >> call.name >> call.path;) calls.push_back(call);
  return calls;
}

Ending CrashPoints::run(const Fault& fault) const {
  copy_tree(before_, directory_);
  fs::remove(trace_);
  fs::remove(sentence_);
  const pid_t child = fork();
  if (child == 0) {
    setenv("BERTHA_FAULT_DIRECTORY", directory_.c_str(), 1);
    setenv("BERTHA_FAULT_TRACE", trace_.c_str(), 1);
    setenv("BERTHA_FAULT_KIND", fault.kind.c_str(), 1);
    setenv("BERTHA_FAULT_AT", std::to_string(fault.at).c_str(), 1);
    setenv("BERTHA_FAULT_LOT", std::to_string(fault.lot).c_str(), 1);
    if (exchange_ == Exchange::kRefused) setenv("BERTHA_FAULT_NO_EXCHANGE", "1", 1);
    bertha_arm_faults();
    try {
      action_(directory_);
    } catch (const Error& error) {
      std::ofstream(sentence_) << error.what();
    } catch (const std::exception& error) {
      std::ofstream(sentence_) << "not an Error of ours: " << error.what();
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::ifstream sentence(sentence_);
  return {WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, {std::istreambuf_iterator<char>(sentence), {}}};
}

void CrashPoints::at_every_call(const std::vector<std::string>& kinds, int64_t stride,
                                const std::function<void(const Fault&, const Ending&)>& look) const {
  int64_t runs = 0;
  for (int64_t at = 1; at <= std::ssize(calls_); at += stride) {
    const CountedCall& call = calls_[static_cast<size_t>(at - 1)];
    for (const Fault& fault : faults_at(call, at, kinds)) {
      SCOPED_TRACE(testing::Message() << fault.kind << " at call " << at << " of " << calls_.size() << ", " << call.name
                                      << " " << call.path << ", lot " << fault.lot);
      const Ending ending = run(fault);
      EXPECT_EQ(ending.killed, fault.ends_process());
      if (!ending.sentence.empty()) {
        EXPECT_NE(ending.sentence.find(directory_), std::string::npos) << ending.sentence;
        EXPECT_EQ(ending.sentence.find('\n'), std::string::npos) << ending.sentence;
        EXPECT_EQ(ending.sentence.find("not an Error of ours"), std::string::npos) << ending.sentence;
        const int error = fault.kind.starts_with("enospc") ? ENOSPC : fault.kind.starts_with("eio") ? EIO : 0;
        if (error != 0) {
          EXPECT_NE(ending.sentence.find(std::strerror(error)), std::string::npos) << ending.sentence;
        }
      }
      look(fault, ending);
      ++runs;
      if (testing::Test::HasFailure()) return;
    }
  }
  testing::Test::RecordProperty("calls", static_cast<int>(calls_.size()));
  std::cout << calls_.size() << " calls, " << runs << " faults\n";
}

}  // namespace bertha
