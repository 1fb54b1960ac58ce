#include "autograd/core/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
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

  std::byte* take(size_t size) {
    const std::lock_guard lock(mutex_);
    use_.current_bytes += size;
    use_.peak_bytes = std::max(use_.peak_bytes, use_.current_bytes);
    auto& blocks = free_[size];
    if (!blocks.empty()) {
      std::byte* block = blocks.back();
      blocks.pop_back();
      return block;
    }
    const size_t alignment = size >= kHugePage ? kHugePage : 64;
    auto* block = static_cast<std::byte*>(::operator new(size, std::align_val_t{alignment}));
    if (size >= kHugePage) madvise(block, size, MADV_HUGEPAGE);
    return block;
  }

  void give_back(std::byte* block, size_t size) {
    const std::lock_guard lock(mutex_);
    use_.current_bytes -= size;
    free_[size].push_back(block);
  }

  MemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> free_;
  MemoryUse use_;
};

}  // namespace

std::shared_ptr<std::byte> allocate(size_t bytes) {
  const size_t size = size_class(bytes);
  std::byte* block = Cache::instance().take(size);
#ifdef BERTHA_POISON
  std::memset(block, 0xFF, size);  // every float and double of all ones is a NaN
#endif
  return {block, [size](std::byte* released) { Cache::instance().give_back(released, size); }};
}

MemoryUse memory_use() { return Cache::instance().use(); }

}  // namespace bertha
