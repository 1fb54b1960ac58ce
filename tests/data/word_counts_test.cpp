#include "data/word_counts.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

constexpr size_t kMebibyte = size_t{1} << 20;

class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before_); }

 private:
  int before_;
};

std::map<std::string, uint64_t> counts_of(const std::vector<std::string>& files, const CountOptions& options) {
  std::map<std::string, uint64_t> counts;
  const WordCounts counted = count_words(files, options);
  EXPECT_TRUE(std::ranges::is_sorted(counted.words, {}, &CountedWord::word));
  for (const auto& [word, count] : counted.words) counts[word] = count;
  return counts;
}

TEST(WordCounts, CountsCleanedWords) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "text") << "The tide, the Café.\n" << std::string(101, 'x');
  EXPECT_EQ(counts_of({folder / "text"}, {}),
            (std::map<std::string, uint64_t>{{"the", 2}, {"tide", 1}, {",", 1}, {"cafe", 1}, {".", 1}}));
  EXPECT_EQ(counts_of({folder / "text"}, {.casing = Casing::kCased}).count("Café"), 1u);
}

/// Words of which some are frequent and most occur once or twice: more than a small table holds.
std::map<std::string, uint64_t> write_many_words(const std::string& path, int words) {
  std::map<std::string, uint64_t> counts;
  std::ofstream file(path);
  RandomStream random(1, "test");
  for (int i = 0; i < words; ++i) {
    const std::string word = std::to_string(random.below(random.below(8) ? 40000 : 40)).append("w");
    ++counts[word];
    file << word << (i % 7 ? ' ' : '\n');
  }
  return counts;
}

TEST(WordCounts, AreExactWhenTablesSpillOnAnyNumberOfThreads) {
  const TemporaryDirectory folder;
  const auto expected = write_many_words(folder / "text", 100000);
  for (const int count : {1, 3}) {
    const Threads threads(count);
    // 12 MiB hold all words, but a table of 12 / 4 / 3 MiB does not.
    const CountOptions options{.memory_bytes = 12 * kMebibyte, .scratch_directory = folder.path()};
    EXPECT_EQ(counts_of({folder / "text"}, options), expected);
  }
}

TEST(WordCounts, ManyRunsStayWithinMemory) {
  const TemporaryDirectory folder;
  std::ofstream file(folder / "text");
  RandomStream random(1, "test");
  for (int i = 0; i < 1'000'000; ++i) file << random.below(1'000'000'000) << (i % 7 ? ' ' : '\n');
  file.close();
  const pid_t child = fork();
  if (child == 0) {
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const Threads threads(1);
    // Some 500 runs: a buffer for each would take 30 MiB.
    count_words({folder / "text"}, {.memory_bytes = kMebibyte, .scratch_directory = folder.path()});
    getrusage(RUSAGE_SELF, &after);
    _exit(after.ru_maxrss - before.ru_maxrss < 8 * 1024 ? 0 : 1);  // in KiB
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(WordCounts, LeaveOutTheRarestWhereMemoryDoesNotSuffice) {
  const TemporaryDirectory folder;
  const auto all = write_many_words(folder / "text", 100000);
  std::optional<std::map<std::string, uint64_t>> first;
  for (const int count : {1, 3}) {
    const Threads threads(count);
    const CountOptions options{.memory_bytes = kMebibyte, .scratch_directory = folder.path()};
    const auto kept = counts_of({folder / "text"}, options);
    ASSERT_FALSE(kept.empty());
    EXPECT_EQ(count_words({folder / "text"}, options).left_out, static_cast<int64_t>(all.size() - kept.size()));
    uint64_t smallest = UINT64_MAX;
    for (const auto& [word, n] : kept) smallest = std::min(smallest, n);
    for (const auto& [word, n] : all) {
      EXPECT_EQ(kept.contains(word), n >= smallest) << word;
      if (kept.contains(word)) {
        EXPECT_EQ(kept.at(word), n) << word;
      }
    }
    if (first) {
      EXPECT_EQ(kept, *first);
    }
    first = kept;
  }
}

TEST(WordCounts, NameTheFirstBadByteWhicheverThreadIsFirstToMeetOne) {
  const TemporaryDirectory folder;
  std::string text;
  while (text.size() < 3 * kMebibyte) text += "Größe Maß é ";
  // One thread meets the second at once in its block, another the first only at the end of the block before.
  const size_t first = text.find(" M", kMebibyte - 50), second = text.find(" M", kMebibyte + 20);
  text[first + 1] = text[second + 1] = '\xFF';
  std::ofstream(folder / "text") << text;
  const Threads threads(2);
  try {
    count_words({folder / "text"}, {.scratch_directory = folder.path()});
    FAIL();
  } catch (const DamagedFileError& error) {
    EXPECT_EQ(error.what(), folder / "text" + ": byte " + std::to_string(first + 1) + " (value 255) is not UTF-8");
  }
}

TEST(WordCounts, RefuseWhatCannotWork) {
  const TemporaryDirectory folder;
  write_many_words(folder / "text", 100000);
  EXPECT_THROW(count_words({folder / "text"}, {.memory_bytes = 1000}), ConfigError);
  EXPECT_THROW(count_words({folder / "missing"}, {}), ConfigError);
  EXPECT_THROW(count_words({folder / "text"}, {.memory_bytes = kMebibyte, .scratch_directory = folder / "missing"}),
               Error);
}

}  // namespace
}  // namespace bertha
