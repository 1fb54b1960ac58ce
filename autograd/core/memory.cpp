#include "autograd/core/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>
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
constexpr size_t kAlignment = 64;

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
    const size_t current = use_.current_bytes + block.size;
    const size_t peak = std::max(use_.peak_bytes, current);
    Block taken = block;
    if (!block.memory) {
      make_room(size, peak + peak / 8);
      taken.memory = fresh(size);
      use_.kept_bytes += size;
    }
    use_.current_bytes = current;
    use_.peak_bytes = peak;
    return taken;
  }

  // Where even the note of it finds no memory, the block goes back to the system.
  void give_back(const Block& block) noexcept {
    const std::lock_guard lock(mutex_);
    use_.current_bytes -= block.size;
    try {
      idle_[block.size].push_back({block.memory, ++returned_});
    } catch (const std::bad_alloc&) {
      if (const auto at = idle_.find(block.size); at != idle_.end() && at->second.empty()) idle_.erase(at);
      release(block.memory, block.size);
      use_.kept_bytes -= block.size;
    }
  }

  MemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  struct Idle {
    std::byte* memory;
    uint64_t returned;  // when, counted in returns
  };
  using Blocks = std::map<size_t, std::vector<Idle>>;  // by size, in the order of their return; no list is empty

  // An idle block of this class or a little larger: batches differ in size from step to step.
  std::optional<Block> reuse(size_t size) {
    const auto at = idle_.lower_bound(size);
    if (at == idle_.end() || at->first > size + size / 4) return std::nullopt;
    const Block block = {at->second.back().memory, at->first};
    at->second.pop_back();
    if (at->second.empty()) idle_.erase(at);
    return block;
  }

  // The process keeps little more than was once handed out at a time: blocks that have been idle the longest, because
  // steps of other sizes needed them, make room. An eighth more saves most of the fresh pages that steps of different
  // sizes would need.
  void make_room(size_t size, size_t most) {
    while (!idle_.empty() && use_.kept_bytes + size > most) {
      const auto oldest = std::ranges::min_element(
          idle_, {}, [](const Blocks::value_type& blocks) { return blocks.second.front().returned; });
      release(oldest->second.front().memory, oldest->first);
      use_.kept_bytes -= oldest->first;
      oldest->second.erase(oldest->second.begin());
      if (oldest->second.empty()) idle_.erase(oldest);
    }
  }

  // Where the system has no more, idle blocks may be in the way.
  std::byte* fresh(size_t size) {
    if (std::byte* memory = obtain(size)) return memory;
    make_room(size, 0);
    if (std::byte* memory = obtain(size)) return memory;
    throw std::bad_alloc();
  }

  // Large blocks are pages of their own: what is released leaves the process, which a heap does not promise. Null where
  // there is no memory.
  static std::byte* obtain(size_t size) {
    if (size >= kHugePage) return map_pages(size);
    return static_cast<std::byte*>(::operator new (size, std::align_val_t{kAlignment}, std::nothrow));
  }

  static void release(std::byte* memory, size_t size) {
    if (size >= kHugePage) {
      munmap(memory, size);
    } else {
      ::operator delete (memory, std::align_val_t{kAlignment});
    }
  }

  // Aligned to huge pages by mapping one more and giving back what is in front and behind.
  static std::byte* map_pages(size_t size) {
    void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    auto* begin = static_cast<std::byte*>(mapped);
    const size_t front = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
    if (front > 0) munmap(begin, front);
    munmap(begin + front + size, kHugePage - front);
    madvise(begin + front, size, MADV_HUGEPAGE);
    return begin + front;
  }

  std::mutex mutex_;
  Blocks idle_;
  uint64_t returned_ = 0;
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
