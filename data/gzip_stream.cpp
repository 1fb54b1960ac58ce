#include "data/gzip_stream.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr size_t kCompressedBytes = size_t{64} << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;

}  // namespace

struct GzipStream::Inflater {
  Inflater() { check<Error>(inflateInit2(&z, kGzipOnly) == Z_OK, "zlib: cannot be started (out of memory?)"); }
  ~Inflater() { inflateEnd(&z); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream z{};
};

GzipStream::GzipStream(const std::string& path)
    : path_(path), file_(path), compressed_(kCompressedBytes), inflater_(std::make_unique<Inflater>()) {}

GzipStream::~GzipStream() = default;

size_t GzipStream::read(std::span<char> out) {
  z_stream& z = inflater_->z;
  size_t done = 0;
  while (done < out.size() && find_member()) {
    const size_t room = std::min<size_t>(out.size() - done, std::numeric_limits<uInt>::max());
    z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    z.avail_out = static_cast<uInt>(room);
    const int status = inflate(&z, Z_NO_FLUSH);
    check<DamagedFileError>(status == Z_OK || status == Z_STREAM_END, path_, ": damaged gzip data at byte ",
                            file_offset_ - z.avail_in, z.msg ? ": " : "", z.msg ? z.msg : "");
    inside_member_ = status != Z_STREAM_END;
    done += room - z.avail_out;
  }
  return done;
}

bool GzipStream::refill() {
  z_stream& z = inflater_->z;
  const size_t bytes = file_.read(compressed_);
  file_offset_ += static_cast<int64_t>(bytes);
  z.next_in = reinterpret_cast<Bytef*>(compressed_.data());
  z.avail_in = static_cast<uInt>(bytes);
  return bytes > 0;
}

/// Whether there is compressed data of a member; what is read is then never empty.
bool GzipStream::find_member() {
  z_stream& z = inflater_->z;
  for (;;) {
    if (z.avail_in == 0 && !refill()) {
      check<DamagedFileError>(!inside_member_, path_, ": ends within gzip data, at byte ", file_offset_);
      return false;
    }
    if (inside_member_) return true;
    if (*z.next_in == 0) {  // padding
      ++z.next_in;
      --z.avail_in;
      continue;
    }
    inflateReset(&z);
    inside_member_ = true;
  }
}

}  // namespace bertha
