#include "train/rank_agreement.h"

#include <cstddef>
#include <vector>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "train/first_difference.h"

namespace bertha {

void require_agreement(Communicator& communicator, const std::string& text) {
  const std::vector<std::string> all = communicator.all_gather(text);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const auto [its, ours] = first_different_lines(all[rank], all[0]);
    fail<MismatchError>("rank ", rank, " of ", all.size(), ": '", its, "' differs from rank 0's '", ours,
                        "'; do all ranks run one binary, one configuration and one data set?");
  }
}

void require_equal_parameters(Communicator& communicator, const ParameterStore& store, int64_t step) {
  if (communicator.size() == 1) return;
  std::string checksums;
  for (const PublishedTensor& tensor : store.published()) {
    const auto values = store.values().subspan(tensor.offset, tensor.shape.numel());
    checksums += tensor.name + " " + to_hex(checksum_of(std::as_bytes(values))) + "\n";
  }
  const std::vector<std::string> all = communicator.all_gather(checksums);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const std::string line = first_different_lines(all[rank], all[0]).first;
    fail<MismatchError>("rank ", rank, " of ", all.size(), ": parameters differ from rank 0 at step ", step,
                        " (first: '", line.substr(0, line.find(' ')),
                        "'); do all ranks run one binary and one config?");
  }
}

std::string build_identity() {
  const InputFile binary("/proc/self/exe");
  std::vector<std::byte> bytes(binary.size());
  binary.read(0, bytes);
  return "binary " + to_hex(checksum_of(bytes));
}

}  // namespace bertha
