#include "data/hdf5_layout.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "autograd/core/error.h"

namespace bertha {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr size_t kSuperblockBytes = 96;  // the longest there is without what begins behind it
constexpr uint64_t kUndefined = ~uint64_t{0};
constexpr unsigned kNewestVersion = 3;

/// Where a superblock keeps what all versions have.
struct Places {
  size_t offset_bytes, base, end, root, driver;  // driver: 0 where there is none
};

constexpr Places places_of(unsigned version) {
  if (version >= 2) return {.offset_bytes = 9, .base = 12, .end = 28, .root = 36, .driver = 0};
  const size_t more = version == 1 ? 4 : 0;
  return {.offset_bytes = 13, .base = 24 + more, .end = 40 + more, .root = 64 + more, .driver = 48 + more};
}

class Superblock {
 public:
  explicit Superblock(const InputFile& file) : file_(file) {
    const size_t size = std::min<size_t>(bytes_.size(), file.size());
    file.read(0, std::as_writable_bytes(std::span(bytes_).first(size)));
  }

  void check_all() const {
    check<DamagedFileError>(std::string_view(bytes_.data(), kSignature.size()) == kSignature, file_.path(),
                            ": not an HDF5 file (it begins with something else)");
    const unsigned version = byte(8);
    check<DamagedFileError>(version <= kNewestVersion, file_.path(), ": HDF5 superblock of version ", version,
                            " (expected at most ", kNewestVersion, ")");
    const Places places = places_of(version);
    check<DamagedFileError>(byte(places.offset_bytes) == 8 && byte(places.offset_bytes + 1) == 8, file_.path(),
                            ": HDF5 offsets of ", byte(places.offset_bytes), " and lengths of ",
                            byte(places.offset_bytes + 1), " bytes (expected 8)");
    check<DamagedFileError>(number(places.base) == 0, file_.path(), ": HDF5 base address ", number(places.base),
                            " (expected 0)");
    check<DamagedFileError>(places.driver == 0 || number(places.driver) == kUndefined, file_.path(),
                            ": names a driver that reads other files");
    const uint64_t end = number(places.end);
    check<DamagedFileError>(end >= kSignature.size() && end <= file_.size(), file_.path(), ": has ", file_.size(),
                            " bytes, HDF5 expects ", end, "; is the file cut off?");
    check<DamagedFileError>(number(places.root) < end, file_.path(), ": its root group begins at byte ",
                            number(places.root), " of ", end);
  }

 private:
  unsigned byte(size_t at) const { return static_cast<unsigned char>(bytes_[at]); }
  uint64_t number(size_t at) const {
    uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  const InputFile& file_;
  std::array<char, kSuperblockBytes> bytes_{};  // zeros behind the end of a short file
};

}  // namespace

void check_hdf5_layout(const InputFile& file) {
  Superblock(file).check_all();
}

}  // namespace bertha
