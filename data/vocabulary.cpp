#include "data/vocabulary.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <span>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/utf8.h"

namespace bertha {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  check<ConfigError>(file.is_open(), path, ": cannot be opened: ", std::strerror(errno));
  std::string content;
  std::array<char, 65536> buffer;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    content.append(buffer.data(), static_cast<size_t>(file.gcount()));
  }
  check<ConfigError>(!file.bad(), path, ": cannot be read: ", std::strerror(errno));
  return content;
}

std::vector<std::string> split_lines(std::string_view content) {
  std::vector<std::string> lines;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return lines;
}

}  // namespace

Vocabulary Vocabulary::read(const std::string& path) {
  return Vocabulary(split_lines(read_file(path)), path);
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
    check<DamagedFileError>(added, origin, ":", i + 1, ": token '", token, "' is already on line ",
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
