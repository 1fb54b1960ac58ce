#include "data/vocabulary.h"

#include <algorithm>
#include <limits>
#include <span>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/lines.h"
#include "data/shown.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr uint64_t kLargestFile = uint64_t{64} << 20;
constexpr size_t kMostTokens = size_t{1} << 22;  // in a file

std::string_view without_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

uint64_t hash_of(std::string_view token) {
  return checksum_of(std::as_bytes(std::span(token)));
}

[[noreturn]] void refuse_twin(std::string_view content, uint64_t hash, std::string_view origin) {
  int64_t number = 0, first = 0;
  for_each_line(content, [&](std::string_view line) {
    ++number;
    if (hash_of(without_return(line)) != hash) return;
    check<DamagedFileError>(first == 0, origin, ":", number, ": token ", shown(without_return(line)),
                            " is already on line ", first);
    first = number;
  });
  fail<DamagedFileError>(origin, ": a token stands twice");
}

/// Refuses what the constructor would, before a token is kept: in memory each takes many times its bytes.
void check_lines(std::string_view content, std::string_view origin) {
  size_t number = 0;
  for_each_line(content, [&](std::string_view line) {
    ++number;
    check<DamagedFileError>(!without_return(line).empty(), origin, ":", number, ": empty token");
    check<DamagedFileError>(!without_return(line).ends_with('\r'), origin, ":", number, ": two carriage returns");
    check<DamagedFileError>(find_invalid_utf8(line) == line.npos, origin, ":", number, ": not UTF-8");
  });
  check<DamagedFileError>(number <= kMostTokens, origin, ": has ", number, " tokens (at most ", kMostTokens, ")");
  std::vector<uint64_t> hashes;
  hashes.reserve(number);
  for_each_line(content, [&](std::string_view line) { hashes.push_back(hash_of(without_return(line))); });
  std::ranges::sort(hashes);
  const auto twin = std::ranges::adjacent_find(hashes);
  if (twin != hashes.end()) refuse_twin(content, *twin, origin);
  for (const std::string_view special : kSpecialTokens) {
    check<MismatchError>(std::ranges::binary_search(hashes, hash_of(special)), origin, ": token '", special,
                         "' is missing (a BERT vocabulary has it)");
  }
}

std::vector<std::string> split_lines(std::string_view content) {
  std::vector<std::string> lines;
  for_each_line(content, [&](std::string_view line) { lines.emplace_back(without_return(line)); });
  return lines;
}

}  // namespace

Vocabulary Vocabulary::read(const std::string& path) {
  const std::string content = read_text(path, kLargestFile);
  check_lines(content, path);
  return Vocabulary(split_lines(content), path);
}

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::string_view origin) : tokens_(std::move(tokens)) {
  check<DamagedFileError>(tokens_.size() <= std::numeric_limits<int32_t>::max(), origin, ": ", tokens_.size(),
                          " tokens are more than ids can count");
  ids_.reserve(tokens_.size());
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& token = tokens_[i];
    check<DamagedFileError>(!token.empty(), origin, ":", i + 1, ": empty token");
    check<DamagedFileError>(find_invalid_utf8(token) == std::string::npos, origin, ":", i + 1, ": not UTF-8");
    const auto [earlier, added] = ids_.emplace(token, static_cast<int32_t>(i));
    check<DamagedFileError>(added, origin, ":", i + 1, ": token ", shown(token), " is already on line ",
                            earlier->second + 1);
  }
  for (size_t i = 0; i < kSpecialTokens.size(); ++i) {
    const auto id = find(kSpecialTokens[i]);
    check<MismatchError>(id.has_value(), origin, ": token '", kSpecialTokens[i],
                         "' is missing (a BERT vocabulary has it)");
    special_ids_[i] = *id;
  }
}

const std::string& Vocabulary::token(int32_t id) const {
  check<MismatchError>(id >= 0 && id < size(), "vocabulary: id ", id, " is outside its ", size(), " tokens");
  return tokens_[static_cast<size_t>(id)];
}

std::optional<int32_t> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

bool Vocabulary::is_special(int32_t id) const {
  return std::find(special_ids_.begin(), special_ids_.end(), id) != special_ids_.end();
}

uint64_t Vocabulary::hash() const {
  std::string all;
  for (const std::string& token : tokens_) all.append(token).push_back('\n');
  return checksum_of(std::as_bytes(std::span(all)));
}

void Vocabulary::write(const std::string& path) const {
  std::string content;
  for (const std::string& token : tokens_) content.append(token).push_back('\n');
  write_durably(path, content);
}

}  // namespace bertha
