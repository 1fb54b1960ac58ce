#include "data/word_counts.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <queue>
#include <span>
#include <string_view>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "data/scratch_file.h"
#include "data/text_blocks.h"
#include "data/utf8.h"
#include "data/wordpiece.h"

namespace bertha {
namespace {

constexpr size_t kMinMemoryBytes = size_t{1} << 20;
constexpr size_t kMaxBlockBytes = size_t{1} << 20;
constexpr size_t kReadBytes = size_t{64} << 10;

/// In a run: a header, then the word's bytes.
struct RecordHeader {
  uint64_t count;
  uint64_t length;
};

void append_record(std::string_view word, uint64_t count, std::string& run) {
  const RecordHeader header{count, word.size()};
  run.append(reinterpret_cast<const char*>(&header), sizeof header).append(word);
}

/// Words and counts, open addressing, at most half full.
class WordTable {
 public:
  explicit WordTable(size_t max_bytes) : max_bytes_(max_bytes), slots_(kMinSlots) {}

  /// False where the word is new and there is no room for it.
  bool add(std::string_view word) {
    const size_t hash = std::hash<std::string_view>{}(word);
    Slot* slot = find(hash, word);
    if (slot->count == 0) {
      if (2 * (used_ + 1) > slots_.size()) {
        if (bytes(2 * slots_.size()) > max_bytes_) return false;
        grow();
        slot = find(hash, word);
      }
      if (used_ > 0 && bytes(slots_.size()) + word.size() > max_bytes_) return false;
      *slot = {hash, letters_.size(), word.size(), 0};
      letters_.append(word);
      ++used_;
    }
    ++slot->count;
    return true;
  }

  /// The records sorted by word; the table is empty afterwards.
  std::string take_run() {
    std::erase_if(slots_, [](const Slot& slot) { return slot.count == 0; });
    std::sort(slots_.begin(), slots_.end(), [&](const Slot& a, const Slot& b) { return word(a) < word(b); });
    std::string run;
    run.reserve(slots_.size() * sizeof(RecordHeader) + letters_.size());
    for (const Slot& slot : slots_) append_record(word(slot), slot.count, run);
    slots_.assign(kMinSlots, {});
    letters_.clear();
    used_ = 0;
    return run;
  }

 private:
  struct Slot {
    uint64_t hash = 0, begin = 0, length = 0, count = 0;  // count 0: free
  };
  static constexpr size_t kMinSlots = 1024;

  size_t bytes(size_t slots) const { return slots * sizeof(Slot) + letters_.size(); }
  std::string_view word(const Slot& slot) const { return std::string_view(letters_).substr(slot.begin, slot.length); }

  Slot* find(size_t hash, std::string_view sought) {
    for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[i];
      if (slot.count == 0 || (slot.hash == hash && word(slot) == sought)) return &slot;
    }
  }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.count > 0) *find(slot.hash, word(slot)) = slot;
    }
  }

  size_t max_bytes_;
  std::vector<Slot> slots_;
  std::string letters_;
  size_t used_ = 0;
};

/// Records sorted by word: in memory, or a part of the scratch file.
struct Run {
  std::string in_memory;
  int64_t file_offset = 0, file_bytes = 0;
};

class RunReader {
 public:
  RunReader(const Run& run, const ScratchFile& file)
      : file_(file), rest_(run.in_memory), file_offset_(run.file_offset), file_rest_(run.file_bytes) {}

  bool next() {
    rest_.remove_prefix(record_bytes_);
    record_bytes_ = 0;
    if (!have(sizeof header_)) return false;
    std::memcpy(&header_, rest_.data(), sizeof header_);
    record_bytes_ = sizeof header_ + header_.length;
    return have(record_bytes_);
  }
  std::string_view word() const { return rest_.substr(sizeof header_, header_.length); }
  uint64_t count() const { return header_.count; }

 private:
  bool have(size_t bytes) {
    if (rest_.size() >= bytes) return true;
    if (file_rest_ == 0) return false;
    std::string refilled(rest_);
    const size_t more = std::min(static_cast<size_t>(file_rest_), std::max(bytes, kReadBytes));
    refilled.resize(rest_.size() + more);
    file_.read(file_offset_, std::span(refilled).last(more));
    file_offset_ += static_cast<int64_t>(more);
    file_rest_ -= static_cast<int64_t>(more);
    buffer_ = std::move(refilled);
    rest_ = buffer_;
    return rest_.size() >= bytes;
  }

  const ScratchFile& file_;
  std::string buffer_;
  std::string_view rest_;  // begins with the current record
  size_t record_bytes_ = 0;
  RecordHeader header_{};
  int64_t file_offset_, file_rest_;
};

/// Counts blocks on all threads and collects their runs.
class ParallelCounter {
 public:
  ParallelCounter(const std::vector<std::string>& files, const CountOptions& options, ScratchFile& scratch)
      : casing_(options.casing),
        table_bytes_(options.memory_bytes / 4 / static_cast<size_t>(num_threads())),
        blocks_(files, std::min(kMaxBlockBytes, table_bytes_ / 4)),
        scratch_(scratch) {}

  std::vector<Run> count() {
    parallel_for(num_threads(), 1, [&](int64_t, int64_t) { work(); });
    if (error_) std::rethrow_exception(error_);
    return std::move(runs_);
  }

 private:
  void work() {
    TextBlock block;
    try {
      WordTable table(table_bytes_);
      WordSplitter splitter(casing_, Sources::kIgnored);
      while (blocks_.next(block)) count_block(block, splitter, table);
      add_run({table.take_run()});
    } catch (...) {
      blocks_.stop();
      const std::lock_guard lock(mutex_);
      // Blocks are dealt out in order and every dealt one is finished, so this is the first error in the text.
      if (!error_ || block.number < error_block_) {
        error_ = std::current_exception();
        error_block_ = block.number;
      }
    }
  }

  void count_block(const TextBlock& block, WordSplitter& splitter, WordTable& table) {
    check_utf8(block.text, block.path, block.offset);
    const Words& words = splitter.split(block.text);
    size_t begin = 0;
    for (const auto& [end, code_points] : words.words) {
      const std::string_view word = std::string_view(words.bytes).substr(begin, end - begin);
      begin = end;
      if (code_points > kMaxWordCodePoints || table.add(word)) continue;
      spill(table);
      table.add(word);
    }
  }

  void spill(WordTable& table) {
    const std::string run = table.take_run();
    add_run({"", scratch_.append(run), static_cast<int64_t>(run.size())});
  }

  void add_run(Run run) {
    const std::lock_guard lock(mutex_);
    runs_.push_back(std::move(run));
  }

  Casing casing_;
  size_t table_bytes_;
  TextBlocks blocks_;
  ScratchFile& scratch_;
  std::mutex mutex_;
  std::vector<Run> runs_;
  std::exception_ptr error_;
  int64_t error_block_ = 0;
};

/// Calls f(word, count) for every distinct word of the runs in order.
template <class F>
void merge(std::span<const Run> runs, const ScratchFile& scratch, F&& f) {
  std::vector<RunReader> readers;
  for (const Run& run : runs) readers.emplace_back(run, scratch);
  const auto after = [&](size_t a, size_t b) { return readers[a].word() > readers[b].word(); };
  std::priority_queue<size_t, std::vector<size_t>, decltype(after)> front(after);
  const auto advance = [&](size_t i) {
    if (readers[i].next()) front.push(i);
  };
  for (size_t i = 0; i < readers.size(); ++i) advance(i);
  while (!front.empty()) {
    const std::string word(readers[front.top()].word());
    uint64_t count = 0;
    while (!front.empty() && readers[front.top()].word() == word) {
      const size_t i = front.top();
      front.pop();
      count += readers[i].count();
      advance(i);
    }
    f(word, count);
  }
}

/// One run, in the scratch file, of what all `runs` hold.
Run merge_to_file(std::span<const Run> runs, ScratchFile& scratch) {
  Run merged{"", -1, 0};
  std::string records;
  const auto append = [&] {
    const int64_t offset = scratch.append(records);
    if (merged.file_bytes == 0) merged.file_offset = offset;  // what follows lies behind it: nobody else appends
    merged.file_bytes += std::ssize(records);
    records.clear();
  };
  merge(runs, scratch, [&](std::string_view word, uint64_t count) {
    append_record(word, count, records);
    if (records.size() >= kReadBytes) append();
  });
  append();
  return merged;
}

/// Merges runs until a buffer for each of them fits into `memory_bytes`.
void merge_down(std::vector<Run>& runs, size_t memory_bytes, ScratchFile& scratch) {
  const size_t most = memory_bytes / kReadBytes;
  while (runs.size() > most) {
    const size_t count = std::min(most, runs.size() - most + 1);
    Run merged = merge_to_file(std::span(runs).first(count), scratch);
    runs.erase(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(count));
    runs.push_back(std::move(merged));
  }
}

/// What learning from a word takes: itself, a symbol a byte and where each pair of them occurs.
size_t learning_bytes(std::string_view word) {
  return 64 + 16 * word.size();
}

/// The smallest count whose words, with all that occur more often, fit into memory.
uint64_t smallest_count_that_fits(const std::map<uint64_t, size_t>& bytes_by_count, size_t memory_bytes) {
  uint64_t smallest = UINT64_MAX;
  for (auto it = bytes_by_count.rbegin(); it != bytes_by_count.rend() && it->second <= memory_bytes; ++it) {
    memory_bytes -= it->second;
    smallest = it->first;
  }
  return smallest;
}

}  // namespace

WordCounts count_words(const std::vector<std::string>& files, const CountOptions& options) {
  check<ConfigError>(options.memory_bytes >= kMinMemoryBytes, "vocab: ", options.memory_bytes,
                     " bytes of memory are too few (at least ", kMinMemoryBytes, ")");
  ScratchFile scratch(options.scratch_directory);
  std::vector<Run> runs = ParallelCounter(files, options, scratch).count();
  merge_down(runs, options.memory_bytes / 4, scratch);

  std::map<uint64_t, size_t> bytes_by_count;
  merge(runs, scratch, [&](const std::string& word, uint64_t count) { bytes_by_count[count] += learning_bytes(word); });
  const uint64_t smallest = smallest_count_that_fits(bytes_by_count, options.memory_bytes / 4 * 3);
  WordCounts result;
  merge(runs, scratch, [&](const std::string& word, uint64_t count) {
    if (count < smallest) {
      ++result.left_out;
    } else {
      result.words.push_back({word, count});
    }
  });
  return result;
}

}  // namespace bertha
