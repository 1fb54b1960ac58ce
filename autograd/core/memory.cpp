#include "autograd/core/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

namespace bertha {
namespace {

constexpr size_t kSmallest = 256;
constexpr size_t kHugePage = size_t{2} << 20;

// Eight classes per power of two: at most an eighth is lost, and a batch a little larger than the last finds its block.
size_t size_class(size_t bytes) {
  const size_t size = std::max(bytes, kSmallest);
  const size_t step = std::bit_floor(size) / 8;
  return (size + step - 1) / step * step;
}

class Cache {
 public:
  // Never destroyed: tensors of static lifetime may outlive every other static object.
  static Cache& instance() {
    static Cache& cache = *new Cache;
    return cache;
  }

  struct Block {
    std::byte* memory;
    size_t size;
  };

  Block take(size_t size) {
    const std::lock_guard lock(mutex_);
    const Block block = reuse(size).value_or(Block{nullptr, size});
    use_.current_bytes += block.size;
    use_.peak_bytes = std::max(use_.peak_bytes, use_.current_bytes);
    if (block.memory) return block;
    make_room(size);
    use_.kept_bytes += size;
    return {fresh(size), size};
  }

  void give_back(const Block& block) {
    const std::lock_guard lock(mutex_);
    use_.current_bytes -= block.size;
    free_[block.size].push_back(block.memory);
  }

  MemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  // A free block of this class or a little larger: batches differ in size from step to step.
  std::optional<Block> reuse(size_t size) {
    if (const auto at = free_.lower_bound(size); at != free_.end() && at->first <= size + size / 4) {
      const Block block = {at->second.back(), at->first};
      at->second.pop_back();
      if (at->second.empty()) free_.erase(at);
      return block;
    }
    return std::nullopt;
  }

  // The process never keeps more than was once handed out at a time: idle blocks that have become too small for what
  // varies in size from step to step make room, the largest of them first, then larger ones.
  void make_room(size_t size) {
    while (use_.kept_bytes + size > use_.peak_bytes) {
      auto at = free_.lower_bound(size);
      if (at != free_.begin()) --at;
      if (at == free_.end()) return;
      ::operator delete (at->second.back(), std::align_val_t{alignment_of(at->first)});
      use_.kept_bytes -= at->first;
      at->second.pop_back();
      if (at->second.empty()) free_.erase(at);
    }
  }

  static size_t alignment_of(size_t size) { return size >= kHugePage ? kHugePage : 64; }

  static std::byte* fresh(size_t size) {
    const size_t alignment = alignment_of(size);
    auto* memory = static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment}));
    if (size >= kHugePage) madvise(memory, size, MADV_HUGEPAGE);
    return memory;
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> free_;  // by size; none is empty
  MemoryUse use_;
};

}  // namespace

std::shared_ptr<std::byte> allocate(size_t bytes) {
  const Cache::Block block = Cache::instance().take(size_class(bytes));
#ifdef BERTHA_POISON
  std::memset(block.memory, 0xFF, block.size);  // every float and double of all ones is a NaN
#endif
  return {block.memory, [block](std::byte*) { Cache::instance().give_back(block); }};
}

MemoryUse memory_use() {
  return Cache::instance().use();
}

}  // namespace bertha
