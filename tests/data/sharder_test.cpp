#include "data/sharder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <barrier>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "autograd/core/error.h"
#include "data/shard_manifest.h"
#include "tests/data/gzip.h"
#include "tests/data/shard_fixtures.h"
#include "tests/train/checkpoint/file_size_limit.h"

namespace bertha {
namespace {

void ignore(const ShardProgress&) {}

/// Texts of a few blocks and shards, and what makes them into a directory.
class Sharder : public testing::Test {
 protected:
  ShardOptions options(const std::string& name) const {
    ShardOptions result;
    result.files = files_;
    result.directory = directory_ / name;
    result.objective = Objective::kMlmNsp;
    result.sequence_length = 32;
    result.block_bytes = 2000;
    result.blocks_per_shard = 3;
    return result;
  }
  ShardSummary shard(const ShardOptions& given) const { return shard_corpus(given, tokenizer_, ignore); }

  /// By rank.
  std::vector<ShardSummary> shard_on_ranks(const ShardOptions& given, int ranks) const {
    std::barrier all(ranks);
    std::vector<ShardSummary> summaries(static_cast<size_t>(ranks));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        ShardOptions part = given;
        part.rank = rank;
        part.world_size = ranks;
        part.barrier = [&] { all.arrive_and_wait(); };
        summaries[rank] = shard(part);
      });
    }
    threads.clear();
    return summaries;
  }

  /// In a process of its own, which dies once it has worked through `blocks` of them.
  void shard_until_killed(const ShardOptions& given, int64_t blocks) const {
    const pid_t child = fork();
    if (child == 0) {
      shard_corpus(given, tokenizer_, [&](const ShardProgress& progress) {
        if (progress.blocks_done == blocks) raise(SIGKILL);
      });
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  template <class E>
  std::string message_of(const ShardOptions& given) const {
    try {
      shard(given);
    } catch (const E& error) {
      return error.what();
    }
    return "no error of this kind";
  }

  TemporaryDirectory directory_;
  std::vector<std::string> files_{write_file(directory_ / "a.txt", random_text(1, 150, 6, 12, 300)),
                                  write_file(directory_ / "b.txt", random_text(2, 90, 6, 12, 300))};
  WordPiece tokenizer_ = numbered_words(300);
};

TEST_F(Sharder, KeepsEveryTokenOfPackedTextInOrder) {
  ShardOptions given = options("shards");
  given.objective = Objective::kMlm;
  const ShardSummary summary = shard(given);
  std::vector<int32_t> expected;
  for (const std::string& file : files_) tokenizer_.append_ids(read_file(file), expected);

  std::vector<int32_t> kept;
  ShardSet shards(given.directory);
  for (int64_t i = 0; i < shards.size(); ++i) {
    std::ranges::copy_if(shards.sequence(i).ids, std::back_inserter(kept), [](int32_t id) { return id >= 5; });
  }
  EXPECT_EQ(kept, expected);
  EXPECT_GT(summary.shards, 3);
}

TEST_F(Sharder, SummaryAndReaderAgree) {
  const ShardSummary summary = shard(options("shards"));
  ShardSet shards(directory_ / "shards");
  EXPECT_EQ(shards.size(), summary.sequences);
  EXPECT_EQ(shards.tokens(), summary.tokens);
  EXPECT_EQ(shards.hash(), summary.hash);
  EXPECT_EQ(shards.vocabulary_hash(), tokenizer_.vocabulary().hash());
  EXPECT_EQ(summary.documents, 150 + 90);
  EXPECT_EQ(summary.text_bytes, std::ssize(read_file(files_[0]) + read_file(files_[1])));
  EXPECT_EQ(summary.unknown_tokens, 0);
  EXPECT_EQ(summary.shards_kept, 0);
  int64_t random = 0;
  std::vector<int64_t> counts(static_cast<size_t>(tokenizer_.vocabulary().size()));
  for (int64_t i = 0; i < shards.size(); ++i) {
    const Sequence sequence = shards.sequence(i);
    random += sequence.next_sentence_label;
    for (const int32_t id : sequence.ids) ++counts[id];
  }
  EXPECT_EQ(summary.random_pairs, random);
  EXPECT_NEAR(static_cast<double>(random) / static_cast<double>(shards.size()), 0.5, 0.03);
  EXPECT_EQ(shards.token_counts(), counts);
}

TEST_F(Sharder, JobsAndMemoryChangeNoByte) {
  shard(options("one"));
  const auto expected = read_directory(directory_ / "one");
  EXPECT_TRUE(expected.contains("manifest.json"));
  for (const int64_t jobs : {2, 3, 8}) {
    ShardOptions given = options("jobs-" + std::to_string(jobs));
    given.jobs = jobs;
    given.memory_bytes = (int64_t{64} << 20) * jobs;
    shard(given);
    EXPECT_EQ(read_directory(given.directory), expected);
  }
}

TEST_F(Sharder, RanksChangeNoByte) {
  shard(options("one"));
  const auto expected = read_directory(directory_ / "one");
  for (const int ranks : {2, 3, 20}) {
    const std::string name = "ranks-" + std::to_string(ranks);
    const std::vector<ShardSummary> summaries = shard_on_ranks(options(name), ranks);
    EXPECT_EQ(read_directory(directory_ / name), expected);
    EXPECT_EQ(summaries.front().tokens, summaries.back().tokens);
  }
}

TEST_F(Sharder, TheSeedChangesThePairs) {
  const auto all_ids = [&](uint64_t seed) {
    ShardOptions given = options("seed-" + std::to_string(seed));
    given.seed = seed;
    shard(given);
    ShardSet shards(given.directory);
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < shards.size(); ++i) std::ranges::copy(shards.sequence(i).ids, std::back_inserter(ids));
    return ids;
  };
  EXPECT_NE(all_ids(1), all_ids(2));
}

/// The same text as JSON lines, an object a document.
std::string json_lines(const std::string& text) {
  std::string lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find("\n\n", begin);
    lines += nlohmann::json{{"text", text.substr(begin, end - begin)}}.dump() + "\n";
    begin = end + 2;
  }
  return lines;
}

TEST_F(Sharder, HowTextIsStoredChangesNoByte) {
  shard(options("plain"));
  const auto expected = read_directory(directory_ / "plain");
  const std::string first = read_file(files_[0]), second = read_file(files_[1]);
  const std::string half = first.substr(0, first.size() / 2), rest = first.substr(first.size() / 2);
  const std::vector<std::vector<std::string>> stored{
      {write_gzip(directory_ / "a.txt.gz", first), write_gzip(directory_ / "b.txt.gz", second)},
      {write_file(directory_ / "members.gz", gzip(half) + gzip(rest)), files_[1]},
      {write_file(directory_ / "a.jsonl", json_lines(first)), files_[1]},
      {files_[0], write_gzip(directory_ / "b.jsonl.gz", json_lines(second))}};
  for (const std::vector<std::string>& files : stored) {
    for (const int64_t jobs : {1, 3}) {
      ShardOptions given = options(std::to_string(jobs) + std::filesystem::path(files[0]).filename().string());
      given.files = files;
      given.jobs = jobs;
      shard(given);
      EXPECT_EQ(read_directory(given.directory), expected) << files[0] << " and " << files[1];
    }
  }
}

TEST_F(Sharder, ContinuesWithCompressedTextOnAnyNumberOfRanks) {
  shard(options("plain"));
  files_ = {write_gzip(directory_ / "a.gz", read_file(files_[0])),
            write_gzip(directory_ / "b.gz", read_file(files_[1]))};
  const ShardOptions given = options("shards");
  shard_until_killed(given, 7);
  int64_t kept = 0;
  for (const ShardSummary& summary : shard_on_ranks(given, 3)) kept += summary.shards_kept;
  EXPECT_EQ(kept, 2);
  EXPECT_EQ(read_directory(given.directory), read_directory(directory_ / "plain"));
}

TEST_F(Sharder, DamagedFilesAreNamedBeforeAnythingIsMade) {
  const std::string text = read_file(files_[1]);
  const auto expect_damage = [&](const std::string& name, const std::string& content, const std::string& sentence) {
    ShardOptions given = options("shards");
    given.files = {files_[0], write_file(directory_ / name, content)};
    EXPECT_EQ(message_of<DamagedFileError>(given).find(directory_ / name + sentence), 0u)
        << message_of<DamagedFileError>(given);
    EXPECT_FALSE(std::filesystem::exists(given.directory));
  };
  expect_damage("b.gz", gzip(text).substr(0, 500), ": ends within gzip data, at byte 500");
  expect_damage("b.jsonl", json_lines(text) + "{}\n", ":91: 'text' is missing");
  expect_damage("b.jsonl.gz", gzip("{\"text\": \"a\"}\n{\n"), ":2: not JSON at byte 2");
}

TEST_F(Sharder, ContinuesAfterAKillAtAnyBlock) {
  shard(options("whole"));
  const auto expected = read_directory(directory_ / "whole");
  int64_t blocks = 0;
  shard_corpus(options("count"), tokenizer_, [&](const ShardProgress& progress) { blocks = progress.blocks; });
  int64_t most_kept = 0;
  for (int64_t killed_at = 1; killed_at <= blocks; ++killed_at) {
    const ShardOptions given = options("killed-at-" + std::to_string(killed_at));
    shard_until_killed(given, killed_at);
    ASSERT_FALSE(std::filesystem::exists(given.directory + "/manifest.json"));
    const ShardSummary summary = shard(given);
    EXPECT_EQ(summary.shards_kept, killed_at == blocks ? summary.shards : killed_at / given.blocks_per_shard);
    most_kept = std::max(most_kept, summary.shards_kept);
    EXPECT_EQ(read_directory(given.directory), expected);
  }
  EXPECT_GT(most_kept, 3);
}

TEST_F(Sharder, AShardFileThatWasNotRecordedIsMadeAgain) {
  shard(options("whole"));
  const ShardOptions given = options("shards");
  shard_until_killed(given, 2 * given.blocks_per_shard);
  std::filesystem::remove(given.directory + "/shard-00001.json");
  write_file(given.directory + "/shard-00002.h5.tmp", "torn");
  EXPECT_EQ(shard(given).shards_kept, 1);
  EXPECT_EQ(read_directory(given.directory), read_directory(directory_ / "whole"));
}

TEST_F(Sharder, CleansUpAfterAKillBehindTheManifest) {
  const ShardOptions given = options("shards");
  shard_until_killed(given, given.blocks_per_shard);
  const std::string record = read_file(given.directory + "/shard-00000.json");
  shard(given);
  const auto expected = read_directory(given.directory);
  write_file(given.directory + "/shard-00000.json", record);
  shard(given);
  EXPECT_EQ(read_directory(given.directory), expected);
}

TEST_F(Sharder, AFinishedDirectoryIsKept) {
  const ShardSummary first = shard(options("shards"));
  const auto written = std::filesystem::last_write_time(directory_ / "shards/shard-00000.h5");
  const ShardSummary second = shard(options("shards"));
  EXPECT_EQ(second.shards_kept, first.shards);
  EXPECT_EQ(second.hash, first.hash);
  EXPECT_EQ(std::filesystem::last_write_time(directory_ / "shards/shard-00000.h5"), written);
}

TEST_F(Sharder, MakesADamagedOrLostShardAgain) {
  shard(options("shards"));
  const auto expected = read_directory(directory_ / "shards");
  std::filesystem::remove(directory_ / "shards/shard-00000.h5");
  std::string bytes = expected.at("shard-00001.h5");
  bytes[bytes.size() / 2] ^= 1;
  write_file(directory_ / "shards/shard-00001.h5", bytes);
  const ShardSummary summary = shard(options("shards"));
  EXPECT_EQ(summary.shards_kept, summary.shards - 2);
  EXPECT_EQ(read_directory(directory_ / "shards"), expected);
}

TEST_F(Sharder, RefusesADirectoryOfOtherSettings) {
  shard(options("shards"));
  ShardOptions given = options("shards");
  given.seed = 2;
  EXPECT_EQ(message_of<MismatchError>(given),
            directory_ / "shards" + ": holds shards made with seed 1, not 2; choose another directory or empty it");
  given = options("shards");
  given.objective = Objective::kMlm;
  EXPECT_NE(message_of<MismatchError>(given).find("objective \"mlm_nsp\", not \"mlm\""), std::string::npos);
  given = options("shards");
  given.sequence_length = 64;
  EXPECT_NE(message_of<MismatchError>(given).find("sequence_length 32, not 64"), std::string::npos);
  given = options("shards");
  given.files.pop_back();
  EXPECT_NE(message_of<MismatchError>(given).find("text_bytes"), std::string::npos);
  tokenizer_ = numbered_words(301);
  EXPECT_NE(message_of<MismatchError>(options("shards")).find("vocabulary_hash"), std::string::npos);
}

TEST_F(Sharder, RefusesADirectoryOfOtherText) {
  shard(options("shards"));
  const auto expected = read_directory(directory_ / "shards");
  std::string text = read_file(files_[1]);
  text[text.size() / 2] = 'x';
  write_file(files_[1], text);
  EXPECT_NE(message_of<MismatchError>(options("shards")).find("was made from other text"), std::string::npos);
  EXPECT_EQ(read_directory(directory_ / "shards"), expected);
}

TEST_F(Sharder, RefusesAnUnfinishedDirectoryOfOtherSettings) {
  const ShardOptions given = options("shards");
  shard_until_killed(given, 4);
  ShardOptions other = given;
  other.files.pop_back();
  EXPECT_NE(message_of<MismatchError>(other).find("text_bytes"), std::string::npos);
}

TEST_F(Sharder, AFullDiskIsNamedAndLosesNothing) {
  shard(options("whole"));
  const auto expected = read_directory(directory_ / "whole");
  const auto size = expected.at("shard-00001.h5").size();

  std::string message;
  {
    const FileSizeLimit limit(size - 1);  // the files that fit stay
    message = message_of<Error>(options("shards"));
  }

  EXPECT_NE(message.find(".h5.tmp: cannot be written: "), std::string::npos) << message;
  EXPECT_NE(message.find("File too large"), std::string::npos) << message;
  for (const auto& [name, bytes] : read_directory(directory_ / "shards")) EXPECT_FALSE(name.ends_with(".tmp")) << name;
  shard(options("shards"));
  EXPECT_EQ(read_directory(directory_ / "shards"), expected);
}

TEST_F(Sharder, RefusesBadOptions) {
  ShardOptions given = options("shards");
  given.sequence_length = 4;
  EXPECT_EQ(message_of<ConfigError>(given), "sequence length 4 is outside 5 to 65535");
  given = options("shards");
  given.sequence_length = 65536;
  EXPECT_THROW(shard(given), ConfigError);
  given = options("shards");
  given.jobs = 0;
  EXPECT_THROW(shard(given), ConfigError);
  given = options("shards");
  given.memory_bytes = 1 << 20;
  EXPECT_NE(message_of<ConfigError>(given).find("memory of 1M is too little"), std::string::npos);
  given = options("a.txt");
  EXPECT_NE(message_of<ConfigError>(given).find("is not a directory"), std::string::npos);
}

TEST_F(Sharder, RefusesAnEmptyCorpus) {
  files_ = {write_file(directory_ / "blank.txt", std::string(10000, '\n'))};
  ShardOptions given = options("shards");
  given.objective = Objective::kMlm;
  EXPECT_EQ(message_of<ConfigError>(given), "corpus: no token in 10000 bytes of text");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "shards/manifest.json"));
}

TEST_F(Sharder, RefusesASingleDocumentWhereItNeedsAnother) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text.append(word_name(i % 300)).append("\n");
  files_ = {write_file(directory_ / "single.txt", text)};
  EXPECT_NE(message_of<ConfigError>(options("shards")).find("a single document"), std::string::npos);
  ShardOptions given = options("shards");
  given.objective = Objective::kMlm;
  EXPECT_GT(shard(given).sequences, 1);
}

TEST_F(Sharder, NamesTheFirstByteThatIsNotUtf8OnAnyNumberOfJobs) {
  std::string text = read_file(files_[0]);
  text[3000] = text[9000] = '\xC0';
  write_file(files_[0], text);
  for (const int64_t jobs : {1, 8}) {
    ShardOptions given = options("shards");
    given.jobs = jobs;
    EXPECT_EQ(message_of<DamagedFileError>(given).find(files_[0] + ": byte 3000 "), 0u);
  }
}

}  // namespace
}  // namespace bertha
