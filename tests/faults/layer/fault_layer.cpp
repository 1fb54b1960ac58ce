#include "tests/faults/layer/fault_layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/faults/layer/durable_tree.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

enum class Kind {
  kNone,
  kKill,
  kKillHalf,
  kLose,
  kLoseBytes,
  kLoseSome,
  kNoSpace,
  kIo,
  kNoSpaceOn,
  kIoOn,
  kShort,
  kStop
};

Kind kind_of(const std::string& name) {
  static const std::map<std::string, Kind> kKinds{{"", Kind::kNone},
                                                  {"kill", Kind::kKill},
                                                  {"kill-half", Kind::kKillHalf},
                                                  {"lose", Kind::kLose},
                                                  {"lose-bytes", Kind::kLoseBytes},
                                                  {"lose-some", Kind::kLoseSome},
                                                  {"enospc", Kind::kNoSpace},
                                                  {"eio", Kind::kIo},
                                                  {"enospc-on", Kind::kNoSpaceOn},
                                                  {"eio-on", Kind::kIoOn},
                                                  {"short", Kind::kShort},
                                                  {"stop", Kind::kStop}};
  return kKinds.at(name);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// What a call does to files; it decides which faults it can have.
enum class Effect {
  kTakesSpace,  // writes, or makes a name
  kTakesNone,
};

// What is to happen to a call: as it is, in half, or not at all with this error.
struct Verdict {
  int error = 0;
  bool half = false;
  bool kill_behind = false;
};

class Layer {
 public:
  Layer()
      : directory_(fs::weakly_canonical(variable("BERTHA_FAULT_DIRECTORY"))),
        kind_(kind_of(variable("BERTHA_FAULT_KIND"))),
        at_(std::atol(variable("BERTHA_FAULT_AT").c_str())),
        lot_(static_cast<uint64_t>(std::atol(variable("BERTHA_FAULT_LOT").c_str()))),
        refuses_exchange_(!variable("BERTHA_FAULT_NO_EXCHANGE").empty()) {
    if (const std::string trace = variable("BERTHA_FAULT_TRACE"); !trace.empty()) {
      trace_ = static_cast<int>(
          syscall(SYS_openat, AT_FDCWD, trace.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    }
    if (kind_ == Kind::kLose || kind_ == Kind::kLoseBytes || kind_ == Kind::kLoseSome) {
      fs::create_directories(directory_);
      tree_ = std::make_unique<DurableTree>(directory_);
    }
  }

  bool counts(const std::string& path) const {
    return path.starts_with(directory_) && (path.size() == directory_.size() || path[directory_.size()] == '/');
  }
  bool refuses_exchange() const { return refuses_exchange_; }
  DurableTree* tree() { return tree_.get(); }

  Verdict count(const char* name, const std::string& path, Effect effect) {
    ++calls_;
    if (trace_ >= 0) {
      const std::string line = std::string(name) + " " + path + "\n";
      syscall(SYS_write, trace_, line.data(), line.size());
    }
    const bool here = calls_ == at_;
    const bool from_here = at_ > 0 && calls_ >= at_;
    const bool takes_space = effect == Effect::kTakesSpace;
    switch (kind_) {
      case Kind::kKill:
        if (here) die();
        return {};
      case Kind::kKillHalf:
        return {0, here, here};
      case Kind::kLose:
      case Kind::kLoseBytes:
      case Kind::kLoseSome:
        if (here) fail_machine();
        return {};
      case Kind::kNoSpace:
        return {here && takes_space ? ENOSPC : 0, false, false};
      case Kind::kNoSpaceOn:
        return {from_here && takes_space ? ENOSPC : 0, false, false};
      case Kind::kIo:
        return {here ? EIO : 0, false, false};
      case Kind::kIoOn:
        return {from_here ? EIO : 0, false, false};
      case Kind::kShort:
        return {0, here, false};
      case Kind::kStop:
        if (here) raise(SIGSTOP);
        return {};
      case Kind::kNone:
        return {};
    }
    return {};
  }

  [[noreturn]] static void die() {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }

 private:
  [[noreturn]] void fail_machine() {
    using Rest = DurableTree::Rest;
    tree_->roll_back(kind_ == Kind::kLose        ? Rest::kNothing
                     : kind_ == Kind::kLoseBytes ? Rest::kNames
                                                 : Rest::kByLot,
                     lot_);
    die();
  }

  std::string directory_;
  Kind kind_;
  long at_;
  uint64_t lot_;
  bool refuses_exchange_;
  int trace_ = -1;
  long calls_ = 0;
  std::unique_ptr<DurableTree> tree_;
};

std::atomic<Layer*> armed = nullptr;
std::mutex mutex;
thread_local bool inside = false;  // the layer's own calls do not count

// The layer, while nothing else may call; null where it is not armed or calls itself.
class Entry {
 public:
  Entry() : layer_(inside ? nullptr : armed.load()) {
    if (layer_ == nullptr) return;
    inside = true;
    mutex.lock();
  }
  ~Entry() {
    if (layer_ == nullptr) return;
    mutex.unlock();
    inside = false;
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  Layer* layer() const { return layer_; }

 private:
  Layer* layer_;
};

std::string path_of(int descriptor) {
  char target[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<size_t>(size)) : std::string();
}

std::string absolute(int directory, const char* path) {
  if (path[0] == '/') return fs::path(path).lexically_normal();
  const fs::path base = directory == AT_FDCWD ? fs::current_path() : fs::path(path_of(directory));
  return (base / path).lexically_normal();
}

// Without a '/' at the end, which the path of a directory may have.
std::string name_of(int directory, const char* path) {
  std::string name = absolute(directory, path);
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name;
}

// Does `call` as the verdict says, then what `after` does where it succeeded. Errors are -1 with errno.
template <class Call, class After>
long judged(const char* name, const std::string& path, Effect effect, Call call, After after) {
  const Entry entry;
  Layer* const layer = entry.layer();
  if (layer == nullptr || !layer->counts(path)) return call(false);
  const Verdict verdict = layer->count(name, path, effect);
  if (verdict.error != 0) {
    errno = verdict.error;
    return -1;
  }
  const long result = call(verdict.half);
  const int error = errno;
  if (verdict.kill_behind) Layer::die();
  if (result >= 0) after(*layer);
  errno = error;
  return result;
}

// A call that changes what names are in a directory.
template <class Call>
int changing_names(const char* name, int directory, const char* path, Effect effect, Call call) {
  if (inside || armed.load() == nullptr) return static_cast<int>(call());
  const std::string whole = name_of(directory, path);
  return static_cast<int>(judged(
      name, whole, effect, [&](bool) { return call(); },
      [&](Layer& layer) {
        if (layer.tree()) layer.tree()->names_changed(whole);
      }));
}

// A call on an open file; `whole` and `half` do it.
template <class Call>
long on_file(const char* name, int descriptor, Effect effect, Call call) {
  if (inside || armed.load() == nullptr) return call(false);
  return judged(name, path_of(descriptor), effect, call, [](Layer&) {});
}

int opened(int directory, const char* path, int flags, mode_t mode) {
  const auto call = [&] { return syscall(SYS_openat, directory, path, flags, mode); };
  const bool may_make = (flags & O_CREAT) != 0;
  return changing_names("open", directory, path, may_make ? Effect::kTakesSpace : Effect::kTakesNone, call);
}

int renamed(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
  return changing_names("rename", to_directory, to, Effect::kTakesSpace,
                        [&] { return syscall(SYS_renameat2, from_directory, from, to_directory, to, flags); });
}

int unlinked(int directory, const char* path, int flags) {
  return changing_names("unlink", directory, path, Effect::kTakesNone,
                        [&] { return syscall(SYS_unlinkat, directory, path, flags); });
}

int synced(const char* name, int descriptor, int call_number) {
  if (inside || armed.load() == nullptr) return static_cast<int>(syscall(call_number, descriptor));
  const std::string path = path_of(descriptor);
  return static_cast<int>(judged(
      name, path, Effect::kTakesSpace, [](bool) { return 0; },
      [&](Layer& layer) {
        if (layer.tree()) layer.tree()->synced(descriptor);
      }));
}

ssize_t written(int descriptor, const void* bytes, size_t size) {
  return on_file("write", descriptor, Effect::kTakesSpace,
                 [&](bool half) { return syscall(SYS_write, descriptor, bytes, half ? (size + 1) / 2 : size); });
}

ssize_t written_at(int descriptor, const void* bytes, size_t size, off_t offset) {
  return on_file("write", descriptor, Effect::kTakesSpace, [&](bool half) {
    return syscall(SYS_pwrite64, descriptor, bytes, half ? (size + 1) / 2 : size, offset);
  });
}

int cut(int descriptor, off_t size) {
  return static_cast<int>(on_file("ftruncate", descriptor, Effect::kTakesNone,
                                  [&](bool) { return syscall(SYS_ftruncate, descriptor, size); }));
}

mode_t mode_argument(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(arguments, mode_t) : 0;
}

[[gnu::constructor]] void arm_at_start() {
  if (std::getenv("BERTHA_FAULT_DIRECTORY") != nullptr) bertha_arm_faults();
}

}  // namespace

extern "C" void bertha_arm_faults() {
  inside = true;
  armed = new Layer;  // lives as long as the process
  inside = false;
}

}  // namespace bertha

using namespace bertha;

// ---- What stands in libc's place, under each of its names

#define BERTHA_OPEN(name)                                 \
  extern "C" int name(const char* path, int flags, ...) { \
    va_list arguments;                                    \
    va_start(arguments, flags);                           \
    const mode_t mode = mode_argument(flags, arguments);  \
    va_end(arguments);                                    \
    return opened(AT_FDCWD, path, flags, mode);           \
  }
BERTHA_OPEN(open)
BERTHA_OPEN(open64)
#undef BERTHA_OPEN

#define BERTHA_OPENAT(name)                                              \
  extern "C" int name(int directory, const char* path, int flags, ...) { \
    va_list arguments;                                                   \
    va_start(arguments, flags);                                          \
    const mode_t mode = mode_argument(flags, arguments);                 \
    va_end(arguments);                                                   \
    return opened(directory, path, flags, mode);                         \
  }
BERTHA_OPENAT(openat)
BERTHA_OPENAT(openat64)
#undef BERTHA_OPENAT

extern "C" {

int creat(const char* path, mode_t mode) {
  return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) {
  return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return written(descriptor, bytes, size);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return written_at(descriptor, bytes, size, offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t offset) {
  return written_at(descriptor, bytes, size, offset);
}
ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  return on_file("write", descriptor, Effect::kTakesSpace,
                 [&](bool half) { return syscall(SYS_writev, descriptor, parts, half ? (count + 1) / 2 : count); });
}

int ftruncate(int descriptor, off_t size) noexcept {
  return cut(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) noexcept {
  return cut(descriptor, size);
}
int fsync(int descriptor) {
  return synced("fsync", descriptor, SYS_fsync);
}
int fdatasync(int descriptor) {
  return synced("fdatasync", descriptor, SYS_fdatasync);
}

int rename(const char* from, const char* to) noexcept {
  return renamed(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  return renamed(from_directory, from, to_directory, to, 0);
}
int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) noexcept {
  const Layer* const layer = armed.load();
  if (layer != nullptr && layer->refuses_exchange() && flags != 0) {
    errno = EINVAL;
    return -1;
  }
  return renamed(from_directory, from, to_directory, to, flags);
}

int unlink(const char* path) noexcept {
  return unlinked(AT_FDCWD, path, 0);
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  return unlinked(directory, path, flags);
}
int rmdir(const char* path) noexcept {
  return unlinked(AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char* path) noexcept {
  const int result = unlinked(AT_FDCWD, path, 0);
  return result != 0 && errno == EISDIR ? unlinked(AT_FDCWD, path, AT_REMOVEDIR) : result;
}
int mkdir(const char* path, mode_t mode) noexcept {
  return changing_names("mkdir", AT_FDCWD, path, Effect::kTakesSpace,
                        [&] { return syscall(SYS_mkdirat, AT_FDCWD, path, mode); });
}

int close(int descriptor) {
  const auto call = [&](bool) { return syscall(SYS_close, descriptor); };
  // Nothing is lost by closing what was only read, and HDF5 does not survive it to fail.
  const bool was_read = (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY;
  return static_cast<int>(was_read ? call(false) : on_file("close", descriptor, Effect::kTakesNone, call));
}
}
