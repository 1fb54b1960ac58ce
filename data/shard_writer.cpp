#include "data/shard_writer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "data/checksum.h"
#include "data/file.h"

namespace bertha {
namespace {

DataSetRecord describe(const std::string& name, std::vector<Extent> chunks, std::span<const std::byte> file) {
  Checksum checksum;
  for (const Extent& chunk : chunks) checksum.update(file.subspan(chunk.offset, chunk.size));
  return {name, std::move(chunks), checksum.value()};
}

}  // namespace

uint64_t chunk_checksum(std::span<const int32_t> ids, std::span<const int32_t> lengths,
                        std::span<const int32_t> second_begins, std::span<const int32_t> labels) {
  Checksum checksum;
  for (const auto values : {ids, lengths, second_begins, labels}) checksum.update(values);
  return checksum.value();
}

ShardWriter::ShardWriter(const ShardSettings& settings)
    : settings_(settings), token_counts_(static_cast<size_t>(settings.vocabulary_size)) {
  for (const TableFormat& table : shard_tables(settings)) image_.add_table(table);
  image_.set_attribute("format_version", uint64_t{kShardFormatVersion});
  image_.set_attribute("objective", to_string(settings.objective));
  image_.set_attribute("sequence_length", static_cast<uint64_t>(settings.sequence_length));
  image_.set_attribute("seed", settings.seed);
  image_.set_attribute("vocabulary_hash", to_hex(settings.vocabulary_hash));
  image_.set_attribute("vocabulary_size", static_cast<uint64_t>(settings.vocabulary_size));
  image_.set_attribute("lowercase", uint64_t{settings.lowercase});
}

void ShardWriter::append(const Sequence& sequence) {
  ids_.insert(ids_.end(), sequence.ids.begin(), sequence.ids.end());
  lengths_.push_back(static_cast<int32_t>(sequence.ids.size()));
  ids_.resize(lengths_.size() * settings_.sequence_length);
  if (settings_.objective == Objective::kMlmNsp) {
    second_begins_.push_back(sequence.second_begin);
    labels_.push_back(sequence.next_sentence_label);
    record_.random_pairs += sequence.next_sentence_label;
  }
  for (const int32_t id : sequence.ids) ++token_counts_[id];
  record_.tokens += std::ssize(sequence.ids);
  ++record_.sequences;
  if (std::ssize(lengths_) == shard_chunk_size(settings_.sequence_length)) write_chunk();
}

void ShardWriter::write_chunk() {
  chunk_checksums_.push_back(chunk_checksum(ids_, lengths_, second_begins_, labels_));
  image_.append("input_ids", std::span<const int32_t>(ids_));
  image_.append("lengths", std::span<const int32_t>(lengths_));
  if (settings_.objective == Objective::kMlmNsp) {
    image_.append("second_begins", std::span<const int32_t>(second_begins_));
    image_.append("next_sentence_labels", std::span<const int32_t>(labels_));
  }
  for (std::vector<int32_t>* rows : {&ids_, &lengths_, &second_begins_, &labels_}) rows->clear();
}

void ShardWriter::finish(const std::string& directory, int64_t shard, int64_t documents, uint64_t text_checksum) {
  if (!lengths_.empty()) write_chunk();
  image_.append("chunk_checksums", std::span<const uint64_t>(chunk_checksums_));
  const std::span<const std::byte> file = image_.bytes();
  for (const TableFormat& table : shard_tables(settings_)) {
    record_.data_sets.push_back(describe(table.name, image_.chunks(table.name), file));
  }
  // In the order in which a manifest is read back.
  std::ranges::sort(record_.data_sets, {}, &DataSetRecord::name);
  record_.file = shard_file_name(shard);
  record_.bytes = std::ssize(file);
  record_.checksum = checksum_of(file);
  record_.documents = documents;
  record_.text_checksum = text_checksum;
  write_durably(directory + "/" + record_.file, file);
  write_manifest(directory + "/" + shard_record_name(shard), {settings_, {record_}, token_counts_});
}

}  // namespace bertha
