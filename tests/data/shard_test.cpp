#include "data/shard.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/hdf5_table.h"
#include "data/sequence_builder.h"
#include "data/shard_manifest.h"
#include "data/shard_writer.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

constexpr int64_t kVocabulary = 100;

std::vector<Sequence> random_sequences(int64_t count, int64_t length, Objective objective) {
  RandomStream stream(1, "test sequences");
  std::vector<Sequence> sequences(static_cast<size_t>(count));
  for (Sequence& sequence : sequences) {
    sequence.ids.resize(5 + stream.below(static_cast<uint32_t>(length - 4)));
    for (int32_t& id : sequence.ids) id = static_cast<int32_t>(stream.below(kVocabulary));
    const bool pair = objective == Objective::kMlmNsp;
    sequence.second_begin = static_cast<int32_t>(pair ? 3 : sequence.ids.size());
    sequence.next_sentence_label = pair ? static_cast<int32_t>(stream.below(2)) : -1;
  }
  return sequences;
}

ShardSettings settings_of(Objective objective, int64_t length, int64_t shards, int64_t vocabulary) {
  return {.objective = objective,
          .sequence_length = length,
          .seed = 1,
          .vocabulary_hash = 0xABCDEF0123456789u,
          .vocabulary_size = vocabulary,
          .lowercase = true,
          .text_bytes = 1000,
          .block_bytes = 100,
          .blocks_per_shard = 1,
          .shards = shards};
}

void publish(const std::string& directory, const ShardSettings& settings) {
  ShardManifest whole{settings, {}, std::vector<int64_t>(static_cast<size_t>(settings.vocabulary_size))};
  for (int64_t shard = 0; shard < settings.shards; ++shard) {
    const ShardManifest one = read_manifest(directory + "/" + shard_record_name(shard));
    whole.shards.push_back(one.shards.at(0));
    for (size_t id = 0; id < one.token_counts.size(); ++id) whole.token_counts[id] += one.token_counts[id];
  }
  write_manifest(directory + "/manifest.json", whole);
}

/// A finished directory with the sequences dealt to its shards in turn.
void write_shards(const std::string& directory, const std::vector<Sequence>& sequences, const ShardSettings& settings) {
  const int64_t share = (std::ssize(sequences) + settings.shards - 1) / settings.shards;
  for (int64_t shard = 0; shard < settings.shards; ++shard) {
    ShardWriter writer(settings);
    const int64_t end = std::min(std::ssize(sequences), (shard + 1) * share);
    for (int64_t i = shard * share; i < end; ++i) writer.append(sequences[i]);
    writer.finish(directory, shard, 1, 0);
  }
  publish(directory, settings);
}

void expect_same(const Sequence& found, const Sequence& expected) {
  EXPECT_EQ(found.ids, expected.ids);
  EXPECT_EQ(found.second_begin, expected.second_begin);
  EXPECT_EQ(found.next_sentence_label, expected.next_sentence_label);
}

/// Opens and reads everything.
void read_all(const std::string& directory) {
  ShardSet shards(directory);
  for (int64_t i = 0; i < shards.size(); ++i) shards.sequence(i);
}

/// In place: to truncate and write thousands of times would wait for the disk.
void overwrite_byte(const std::string& path, size_t offset, int value) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(value));
}

std::string damage_of(const std::string& directory) {
  try {
    read_all(directory);
  } catch (const DamagedFileError& error) {
    return error.what();
  }
  return "nothing was found";
}

TEST(ShardSet, ReturnsWhatWasWrittenInAnyOrder) {
  for (const Objective objective : {Objective::kMlm, Objective::kMlmNsp}) {
    for (const int64_t length : {7, 128, 20000}) {
      for (const int64_t vocabulary : {kVocabulary, int64_t{70000}}) {
        const TemporaryDirectory directory;
        std::vector<Sequence> sequences = random_sequences(length == 128 ? 3000 : 11, length, objective);
        if (vocabulary > 65536) sequences[5].ids[1] = 69999;
        const ShardSettings settings = settings_of(objective, length, 3, vocabulary);
        write_shards(directory.path(), sequences, settings);

        ShardSet shards(directory.path());
        ASSERT_EQ(shards.size(), std::ssize(sequences));
        RandomStream stream(2, "test");
        for (int i = 0; i < 300; ++i) {
          const uint32_t index = stream.below(static_cast<uint32_t>(sequences.size()));
          expect_same(shards.sequence(index), sequences[index]);
        }
        for (size_t i = 0; i < sequences.size(); ++i)
          expect_same(shards.sequence(static_cast<int64_t>(i)), sequences[i]);
      }
    }
  }
}

// Columns are stored in chunks of other rows than token ids.
TEST(ShardSet, ReadsColumnsOfSeveralChunks) {
  const TemporaryDirectory directory;
  const std::vector<Sequence> sequences = random_sequences(20000, 24, Objective::kMlmNsp);
  write_shards(directory.path(), sequences, settings_of(Objective::kMlmNsp, 24, 1, kVocabulary));
  ShardSet shards(directory.path());
  ASSERT_EQ(shards.manifest().shards[0].data_sets[2].name, "lengths");
  ASSERT_EQ(shards.manifest().shards[0].data_sets[2].chunks.size(), 2u);
  for (int64_t i = 0; i < shards.size(); ++i) expect_same(shards.sequence(i), sequences[i]);
  for (int64_t i = shards.size() - 1; i >= 0; i -= 7) expect_same(shards.sequence(i), sequences[i]);
  std::vector<int64_t> expected(25);
  for (const Sequence& sequence : sequences) ++expected[sequence.ids.size()];
  EXPECT_EQ(shards.length_counts(), expected);
}

TEST(ShardSet, OfOneShardCountsFromItsFirstSequence) {
  const TemporaryDirectory directory;
  const std::vector<Sequence> sequences = random_sequences(50, 32, Objective::kMlmNsp);
  write_shards(directory.path(), sequences, settings_of(Objective::kMlmNsp, 32, 3, kVocabulary));
  std::filesystem::remove(directory / "shard-00000.h5");
  ShardSet shard(directory.path(), 1);
  ASSERT_EQ(shard.size(), 17);
  for (int64_t i = 0; i < shard.size(); ++i) expect_same(shard.sequence(i), sequences[17 + i]);
}

TEST(ShardSet, CountsLengths) {
  const TemporaryDirectory directory;
  const std::vector<Sequence> sequences = random_sequences(50, 32, Objective::kMlm);
  write_shards(directory.path(), sequences, settings_of(Objective::kMlm, 32, 3, kVocabulary));
  std::vector<int64_t> expected(33);
  for (const Sequence& sequence : sequences) ++expected[sequence.ids.size()];
  EXPECT_EQ(ShardSet(directory.path()).length_counts(), expected);
}

TEST(ShardSet, KnowsWhatItHolds) {
  const TemporaryDirectory directory;
  const std::vector<Sequence> sequences = random_sequences(50, 32, Objective::kMlmNsp);
  write_shards(directory.path(), sequences, settings_of(Objective::kMlmNsp, 32, 2, kVocabulary));
  const ShardSet shards(directory.path());
  std::vector<int64_t> counts(kVocabulary);
  int64_t tokens = 0;
  for (const Sequence& sequence : sequences) {
    for (const int32_t id : sequence.ids) ++counts[id];
    tokens += std::ssize(sequence.ids);
  }
  EXPECT_EQ(shards.tokens(), tokens);
  EXPECT_EQ(shards.token_counts(), counts);
  EXPECT_EQ(shards.objective(), Objective::kMlmNsp);
  EXPECT_EQ(shards.sequence_length(), 32);
  EXPECT_EQ(shards.vocabulary_hash(), 0xABCDEF0123456789u);
  EXPECT_EQ(shards.vocabulary_size(), kVocabulary);
  EXPECT_TRUE(shards.lowercase());
  EXPECT_EQ(shards.chunk_size(), 2048);
}

TEST(ShardSet, HashIsOfTheContent) {
  const auto hash_of = [](int64_t sequences, uint64_t seed) {
    const TemporaryDirectory directory;
    ShardSettings settings = settings_of(Objective::kMlm, 32, 1, kVocabulary);
    settings.seed = seed;
    write_shards(directory.path(), random_sequences(sequences, 32, Objective::kMlm), settings);
    return ShardSet(directory.path()).hash();
  };
  EXPECT_EQ(hash_of(20, 1), hash_of(20, 1));
  EXPECT_NE(hash_of(20, 1), hash_of(21, 1));
  EXPECT_NE(hash_of(20, 1), hash_of(20, 2));
}

TEST(ShardSet, ReadsEachChunkOnceAndChecksItWhenItDoes) {
  const TemporaryDirectory directory;
  const std::vector<Sequence> sequences = random_sequences(1100, 128, Objective::kMlm);
  write_shards(directory.path(), sequences, settings_of(Objective::kMlm, 128, 1, kVocabulary));
  ShardSet shards(directory.path());
  ASSERT_EQ(shards.chunk_size(), 512);
  expect_same(shards.sequence(0), sequences[0]);

  const std::string path = directory / "shard-00000.h5";
  std::string bytes = read_file(path);
  for (const DataSetRecord& data_set : shards.manifest().shards[0].data_sets) {
    if (data_set.name != "input_ids") continue;
    for (const Extent& chunk : data_set.chunks) {
      for (int64_t i = 0; i < chunk.size; i += 1000) bytes[chunk.offset + i] ^= 1;
    }
  }
  write_file(path, bytes);
  for (int64_t i = 0; i < 512; ++i) expect_same(shards.sequence(i), sequences[i]);
  EXPECT_THROW(shards.sequence(512), DamagedFileError);
}

TEST(ShardSet, EveryFlippedByteOfAShardIsFoundAndNamed) {
  const TemporaryDirectory directory;
  write_shards(directory.path(), random_sequences(20, 16, Objective::kMlmNsp),
               settings_of(Objective::kMlmNsp, 16, 1, kVocabulary));
  const std::string path = directory / "shard-00000.h5";
  const std::string bytes = read_file(path);
  const ShardManifest manifest = read_manifest(directory / "manifest.json");
  std::vector<std::string> expected(bytes.size(), "between its data sets");
  for (const DataSetRecord& data_set : manifest.shards[0].data_sets) {
    for (const Extent& chunk : data_set.chunks) {
      for (int64_t i = 0; i < chunk.size; ++i) expected[chunk.offset + i] = "'" + data_set.name + "'";
    }
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    overwrite_byte(path, i, bytes[i] ^ 0x40);
    const std::string message = damage_of(directory.path());
    overwrite_byte(path, i, bytes[i]);
    ASSERT_EQ(message.find(path), 0u) << message;
    ASSERT_NE(message.find(expected[i]), message.npos) << message << "; byte " << i << ", expected " << expected[i];
  }
}

TEST(ShardSet, EveryFlippedByteOfTheManifestIsFound) {
  const TemporaryDirectory directory;
  write_shards(directory.path(), random_sequences(20, 16, Objective::kMlmNsp),
               settings_of(Objective::kMlmNsp, 16, 1, kVocabulary));
  const std::string path = directory / "manifest.json";
  const std::string bytes = read_file(path);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x10, 0x80}) {
      overwrite_byte(path, i, bytes[i] ^ flip);
      const std::string message = damage_of(directory.path());
      overwrite_byte(path, i, bytes[i]);
      ASSERT_EQ(message.find(path), 0u) << message << "; byte " << i;
    }
  }
}

TEST(ShardSet, EveryTruncationIsFound) {
  const TemporaryDirectory directory;
  write_shards(directory.path(), random_sequences(20, 16, Objective::kMlm),
               settings_of(Objective::kMlm, 16, 1, kVocabulary));
  for (const std::string name : {"manifest.json", "shard-00000.h5"}) {
    const std::string path = directory / name;
    const std::string bytes = read_file(path);
    for (size_t size = 0; size < bytes.size(); ++size) {
      write_file(path, bytes.substr(0, size));
      ASSERT_EQ(damage_of(directory.path()).find(path), 0u) << name << " of " << size;
    }
    write_file(path, bytes + "x");
    EXPECT_EQ(damage_of(directory.path()).find(path), 0u);
    write_file(path, bytes);
  }
  std::filesystem::remove(directory / "shard-00000.h5");
  EXPECT_EQ(damage_of(directory.path()), directory / "shard-00000.h5" + ": is missing");
}

TEST(ShardSet, FilesOfAnotherPlaceAreFound) {
  const TemporaryDirectory directory, other;
  const ShardSettings settings = settings_of(Objective::kMlm, 16, 2, kVocabulary);
  const std::vector<Sequence> sequences = random_sequences(20, 16, Objective::kMlm);
  write_shards(directory.path(), sequences, settings);
  write_shards(other.path(), {sequences.rbegin(), sequences.rend()}, settings);
  const std::string first = read_file(directory / "shard-00000.h5");
  const std::string second = read_file(directory / "shard-00001.h5");
  for (const std::string& wrong : {second, read_file(other / "shard-00000.h5"), std::string()}) {
    write_file(directory / "shard-00000.h5", wrong);
    EXPECT_EQ(damage_of(directory.path()).find(directory / "shard-00000.h5"), 0u);
  }
  write_file(directory / "shard-00000.h5", first);
  EXPECT_EQ(damage_of(directory.path()), "nothing was found");
  write_file(directory / "manifest.json", read_file(other / "manifest.json"));
  EXPECT_EQ(damage_of(directory.path()).find(directory / "shard-0000"), 0u);
}

TEST(ShardSet, AnUnfinishedDirectoryIsAUsageError) {
  const TemporaryDirectory directory;
  EXPECT_THROW(ShardSet(directory.path()), ConfigError);
  EXPECT_THROW(ShardSet(directory / "none"), ConfigError);
}

// Below, all checksums are right and the content still nothing to rely on.

/// A shard of two sequences, and a manifest that fits its bytes.
void forge(const std::string& directory, const ShardSettings& settings, std::span<const std::byte> bytes,
           const std::vector<DataSetRecord>& data_sets) {
  write_durably(directory + "/shard-00000.h5", bytes);
  const ShardRecord record{.file = "shard-00000.h5",
                           .bytes = std::ssize(bytes),
                           .checksum = checksum_of(bytes),
                           .sequences = 2,
                           .data_sets = data_sets};
  write_manifest(directory + "/manifest.json",
                 {settings, {record}, std::vector<int64_t>(static_cast<size_t>(settings.vocabulary_size))});
}

struct ForgedTables {
  std::vector<TableFormat> formats;
  std::map<std::string, std::vector<int32_t>> values;
  std::vector<uint64_t> checksums;
  std::map<std::string, std::vector<Extent>> chunks;  // in the place of the right ones
  std::map<std::string, int64_t> longer;              // bytes that the first chunk has too many
};

ForgedTables honest_tables(const ShardSettings& settings) {
  const std::vector<int32_t> ids{2, 10, 3, 11, 3, 0, 0, 0, 2, 12, 13, 3, 14, 15, 3, 0};
  ForgedTables tables{
      shard_tables(settings),
      {{"input_ids", ids}, {"lengths", {5, 7}}, {"second_begins", {3, 4}}, {"next_sentence_labels", {0, 1}}},
      {},
      {},
      {}};
  return tables;
}

std::string damage_of(ForgedTables tables, const ShardSettings& settings) {
  const TemporaryDirectory directory;
  if (tables.checksums.empty()) {
    tables.checksums = {chunk_checksum(tables.values["input_ids"], tables.values["lengths"],
                                       tables.values["second_begins"], tables.values["next_sentence_labels"])};
  }
  Hdf5Image image;
  for (const TableFormat& format : tables.formats) {
    image.add_table(format);
    if (format.name == "chunk_checksums") {
      image.append(format.name, std::span<const uint64_t>(tables.checksums));
    } else {
      image.append(format.name, std::span<const int32_t>(tables.values[format.name]));
    }
  }
  std::vector<DataSetRecord> data_sets;
  const std::span<const std::byte> bytes = image.bytes();
  for (const TableFormat& format : tables.formats) {
    const auto forged = tables.chunks.find(format.name);
    data_sets.push_back({format.name, forged == tables.chunks.end() ? image.chunks(format.name) : forged->second, 0});
    if (tables.longer.contains(format.name)) data_sets.back().chunks[0].size += tables.longer[format.name];
  }
  std::ranges::sort(data_sets, {}, &DataSetRecord::name);
  forge(directory.path(), settings, bytes, data_sets);
  return damage_of(directory.path());
}

class ForgedShard : public testing::Test {
 protected:
  void expect_damage(const std::string& words) {
    const std::string message = damage_of(tables_, settings_);
    EXPECT_NE(message.find(words), message.npos) << message;
  }
  TableFormat& format(const std::string& name) { return *std::ranges::find(tables_.formats, name, &TableFormat::name); }

  ShardSettings settings_ = settings_of(Objective::kMlmNsp, 8, 1, kVocabulary);
  ForgedTables tables_ = honest_tables(settings_);
};

TEST_F(ForgedShard, IsReadWhereItIsHonest) {
  expect_damage("nothing was found");
}

TEST_F(ForgedShard, NeedsEveryDataSetAndNoOther) {
  std::erase_if(tables_.formats, [](const TableFormat& table) { return table.name == "lengths"; });
  expect_damage("lists 4 data sets of 'shard-00000.h5' (expected 5)");
  tables_.formats.push_back({"widths", 1, 16384, 2});
  tables_.values["widths"] = {1, 1};
  expect_damage("lists no data set 'lengths' of 'shard-00000.h5'");
}

TEST_F(ForgedShard, NeedsValuesOfTheRightWidth) {
  format("input_ids").value_bytes = 4;
  expect_damage("data set 'input_ids' has a chunk 0 that does not hold 131072 bytes");
}

TEST_F(ForgedShard, NeedsChunksOfTheRightSize) {
  format("lengths").chunk_rows = 2;
  expect_damage("data set 'lengths' has a chunk 0 that does not hold 32768 bytes");
}

TEST_F(ForgedShard, NeedsAsManyChunksAsItsRowsNeed) {
  format("lengths").chunk_rows = 1;
  expect_damage("lists 2 chunks of data set 'lengths' of 'shard-00000.h5' (its 2 rows need 1)");
  tables_ = honest_tables(settings_);
  tables_.chunks["lengths"] = {};
  expect_damage("lists 0 chunks of data set 'lengths' of 'shard-00000.h5' (its 2 rows need 1)");
}

TEST_F(ForgedShard, NeedsCompressedChunks) {
  for (const Extent chunk : {Extent{0, 100}, Extent{0, 0}}) {
    tables_.chunks["lengths"] = {chunk};
    expect_damage("data set 'lengths' has a chunk 0 that does not hold 32768 bytes");
  }
}

TEST_F(ForgedShard, NeedsChunksWithNothingBehindThem) {
  tables_.longer["lengths"] = 1;
  expect_damage("data set 'lengths' has a chunk 0 that does not hold 32768 bytes");
}

TEST_F(ForgedShard, NeedsChunksWithinTheFileThatAreNoMoreThanIt) {
  for (const Extent chunk : {Extent{1 << 20, 10}, Extent{0, 1 << 20}, Extent{0, INT64_MAX}, Extent{INT64_MAX, 1}}) {
    tables_.chunks["lengths"] = {chunk};
    expect_damage("impossible chunks for 'shard-00000.h5'");
  }
  tables_.chunks["lengths"] = std::vector(1000, Extent{0, 1000});
  expect_damage("impossible chunks for 'shard-00000.h5'");
}

TEST_F(ForgedShard, NeedsTheChecksumOfItsChunk) {
  tables_.checksums = {1};
  expect_damage("do not match their checksum");
}

TEST_F(ForgedShard, NeedsIdsOfTheVocabulary) {
  tables_.values["input_ids"][3] = kVocabulary;
  expect_damage("data set 'input_ids' holds 100 (expected 0 to 99)");
}

TEST_F(ForgedShard, NeedsLengthsWithinTheSequence) {
  tables_.values["lengths"][1] = 9;
  expect_damage("data set 'lengths' holds 9 (expected 1 to 8)");
}

TEST_F(ForgedShard, NeedsSegmentsWithinTheSequence) {
  tables_.values["second_begins"][0] = 6;
  expect_damage("data set 'second_begins' holds 6 (expected 0 to 5)");
}

TEST_F(ForgedShard, NeedsLabelsOfTwoClasses) {
  tables_.values["next_sentence_labels"][0] = 2;
  expect_damage("data set 'next_sentence_labels' holds 2 (expected 0 to 1)");
}

TEST(ShardManifest, AnotherFileNameOrCountIsRefused) {
  const TemporaryDirectory directory;
  write_shards(directory.path(), random_sequences(20, 16, Objective::kMlm),
               settings_of(Objective::kMlm, 16, 1, kVocabulary));
  const std::string path = directory / "manifest.json";
  const ShardManifest honest = read_manifest(path);
  const auto expect_refused = [&](const ShardManifest& forged) {
    write_manifest(path, forged);
    EXPECT_EQ(damage_of(directory.path()).find(path), 0u) << damage_of(directory.path());
  };
  ShardManifest forged = honest;
  forged.shards[0].file = "../shard-00000.h5";
  expect_refused(forged);
  forged = honest;
  forged.shards[0].sequences = int64_t{1} << 60;
  expect_refused(forged);
  forged = honest;
  forged.settings.sequence_length = 0;
  expect_refused(forged);
  forged = honest;
  forged.token_counts.pop_back();
  expect_refused(forged);
  forged = honest;
  forged.settings.shards = 2;
  expect_refused(forged);
  write_manifest(path, honest);
  EXPECT_EQ(damage_of(directory.path()), "nothing was found");
}

TEST(ShardManifest, OfAnotherVersionSaysSo) {
  const TemporaryDirectory directory;
  const std::string path = directory / "manifest.json";
  const std::string checked = R"({"format":"bertha shards","format_version":1,"shards":[]})";
  const std::string body = checked.substr(0, checked.size() - 1);
  const std::string checksum = to_hex(checksum_of(std::as_bytes(std::span(checked))));
  write_file(path, body + ",\"xxh3\":\"" + checksum + "\"}\n");
  EXPECT_THROW(
      {
        try {
          read_manifest(path);
        } catch (const MismatchError& error) {
          EXPECT_EQ(error.what(), path + ": has format version 1 (this program reads 2); make the shards again");
          throw;
        }
      },
      MismatchError);
  write_file(path, body + ",\"xxh3\":\"0123456789abcdef\"}\n");
  EXPECT_THROW(read_manifest(path), DamagedFileError);
}

TEST(ShardManifest, AnythingElseIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory / "manifest.json";
  for (const std::string text : {"", "x", "[]", "{}", "null", "{\"settings\": 3}", "\xFF"}) {
    write_file(path, text);
    EXPECT_EQ(damage_of(directory.path()).find(path), 0u) << text;
  }
  write_file(path, std::string(1 << 20, '['));
  EXPECT_EQ(damage_of(directory.path()).find(path), 0u);
}

}  // namespace
}  // namespace bertha
