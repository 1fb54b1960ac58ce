#include "data/premasked_set.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/data/premasked_file.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

constexpr int64_t kVocabulary = 12;

class PremaskedSetTest : public testing::Test {
 protected:
  PremaskedSet open(Objective objective = Objective::kMlmNsp) const {
    return PremaskedSet(folder_.path(), kVocabulary, objective, check_premasked_file);
  }
  template <class E>
  std::string complaint(const PremaskedFile& file) const {
    write_premasked(path_, file);
    try {
      open();
    } catch (const E& error) {
      const std::string sentence = error.what();
      EXPECT_EQ(sentence.find(path_ + ": "), 0u) << sentence;
      return sentence.substr(std::min(sentence.size(), path_.size() + 2));
    }
    return "nothing";
  }
  /// What is said when one value of one table is another.
  template <class E = DamagedFileError>
  std::string complaint(const std::string& table, size_t place, int64_t value) const {
    PremaskedFile file = two_samples();
    file.at(table).values.at(place) = value;
    return complaint<E>(file);
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "training_0.hdf5";
};

void expect_two_samples(PremaskedSet& set) {
  ASSERT_EQ(set.size(), 2);
  const MaskedSequence first = set.sample(0);
  EXPECT_EQ(first.sequence.ids, (std::vector<int32_t>{2, 5, 4, 3, 10, 3}));
  EXPECT_EQ(first.sequence.second_begin, 4);
  EXPECT_EQ(first.sequence.next_sentence_label, 0);
  EXPECT_EQ(first.positions, (std::vector<int32_t>{2}));
  EXPECT_EQ(first.labels, (std::vector<int32_t>{8}));
  const MaskedSequence second = set.sample(1);
  EXPECT_EQ(second.sequence.ids, (std::vector<int32_t>{2, 6, 7, 5, 3, 9, 7, 3}));
  EXPECT_EQ(second.sequence.second_begin, 5);
  EXPECT_EQ(second.sequence.next_sentence_label, 1);
  EXPECT_EQ(second.positions, (std::vector<int32_t>{3, 6}));
  EXPECT_EQ(second.labels, (std::vector<int32_t>{11, 7}));
}

TEST_F(PremaskedSetTest, GivesSamplesWithTheirMasksAndWithoutPadding) {
  write_premasked(path_, two_samples());
  PremaskedSet set = open();
  expect_two_samples(set);
  EXPECT_EQ(set.sequence_length(), 8);
  EXPECT_EQ(set.tokens(), 14);
  EXPECT_EQ(set.token_counts(), (std::vector<int64_t>{0, 0, 2, 4, 0, 1, 1, 2, 1, 1, 1, 1})) << "before masking";
}

TEST_F(PremaskedSetTest, LeavesLabelsOutForTheTaskWithoutThem) {
  PremaskedFile file = two_samples();
  file.at("next_sentence_labels").values = {7, -7};
  write_premasked(path_, file);
  PremaskedSet set = open(Objective::kMlm);
  EXPECT_EQ(set.sample(1).sequence.next_sentence_label, -1);
  EXPECT_EQ(set.sample(1).sequence.second_begin, 5);
}

TEST_F(PremaskedSetTest, ReadsIntegersOfAnyWidthHoweverTheyAreStored) {
  write_premasked(path_, two_samples());
  const uint64_t expected = open().hash();
  for (const hid_t type : {H5T_STD_I8LE, H5T_STD_U8BE, H5T_STD_U16LE, H5T_STD_I64LE, H5T_STD_U64BE}) {
    for (const bool chunked : {false, true}) {
      PremaskedFile file = two_samples();
      for (auto& [name, table] : file) {
        table.type = type;
        if (name == "next_sentence_labels") table.extent = {2, 1};
        if (chunked) table.chunk = {1, std::min<hsize_t>(2, table.extent[1])};
      }
      write_premasked(path_, file);
      PremaskedSet set = open();
      expect_two_samples(set);
      EXPECT_EQ(set.hash(), expected);
    }
  }
}

TEST_F(PremaskedSetTest, SlotsNeedNoOrder) {
  PremaskedFile file = two_samples();
  file.at("masked_lm_positions").values = {0, 2, 0, 6, 0, 3};
  file.at("masked_lm_ids").values = {0, 8, 0, 7, 0, 11};
  write_premasked(path_, file);
  PremaskedSet set = open();
  expect_two_samples(set);
}

/// Samples of various lengths, more than a chunk's.
PremaskedFile many_samples(uint64_t seed, hsize_t rows, hsize_t length) {
  RandomStream random(seed, "test");
  PremaskedFile file{{"input_ids", {{rows, length}, {}}},   {"input_mask", {{rows, length}, {}}},
                     {"segment_ids", {{rows, length}, {}}}, {"masked_lm_positions", {{rows, 1}, {}}},
                     {"masked_lm_ids", {{rows, 1}, {}}},    {"next_sentence_labels", {{rows}, {}}}};
  for (hsize_t row = 0; row < rows; ++row) {
    const hsize_t tokens = 3 + random.below(static_cast<uint32_t>(length) - 2);
    for (hsize_t i = 0; i < length; ++i) {
      file.at("input_ids").values.push_back(i < tokens ? random.below(kVocabulary) : 0);
      file.at("input_mask").values.push_back(i < tokens);
      file.at("segment_ids").values.push_back(i < tokens && i > tokens / 2);
    }
    file.at("masked_lm_positions").values.push_back(1 + random.below(static_cast<uint32_t>(tokens) - 1));
    file.at("masked_lm_ids").values.push_back(random.below(kVocabulary));
    file.at("next_sentence_labels").values.push_back(random.below(2));
  }
  return file;
}

TEST_F(PremaskedSetTest, ReadsFilesInTheOrderOfTheirNamesAndRowsInAnyOrder) {
  const PremaskedFile first = many_samples(1, 700, 256), second = many_samples(2, 300, 256);
  write_premasked(folder_ / "b.h5", second);
  write_premasked(folder_ / "a.hdf5", first);
  write_file(folder_ / "notes.txt", "not read");
  PremaskedSet set = open();
  ASSERT_EQ(set.size(), 1000);
  EXPECT_EQ(set.chunk_size(), 256);
  RandomStream random(3, "test");
  for (int i = 0; i < 2000; ++i) {
    const int64_t index = random.below(1000);
    const MaskedSequence sample = set.sample(index);
    const PremaskedFile& file = index < 700 ? first : second;
    const int64_t row = index < 700 ? index : index - 700;
    for (size_t token = 0; token < sample.sequence.ids.size(); ++token) {
      ASSERT_EQ(sample.sequence.ids[token], file.at("input_ids").values[row * 256 + token]);
    }
    EXPECT_EQ(sample.positions[0], file.at("masked_lm_positions").values[row]);
    EXPECT_EQ(sample.sequence.next_sentence_label, file.at("next_sentence_labels").values[row]);
  }
  EXPECT_THROW(set.sample(1000), Error);
}

TEST_F(PremaskedSetTest, HashIsOfAllValues) {
  write_premasked(path_, two_samples());
  const uint64_t expected = open().hash();
  const std::vector<std::tuple<std::string, size_t, int64_t>> changes{
      {"input_ids", 1, 6},           {"input_mask", 5, 0},    {"segment_ids", 3, 1},
      {"masked_lm_positions", 3, 2}, {"masked_lm_ids", 0, 9}, {"next_sentence_labels", 0, 1}};
  for (const auto& [table, place, value] : changes) {
    EXPECT_EQ(complaint(table, place, value), "nothing");
    EXPECT_NE(open().hash(), expected) << table;
  }
}

TEST_F(PremaskedSetTest, NamesTheRowThatIsWrong) {
  EXPECT_EQ(complaint("input_ids", 9, -1), "data set 'input_ids' holds in row 1 the token id -1");
  EXPECT_EQ(complaint<MismatchError>("input_ids", 9, 12),
            "data set 'input_ids' holds in row 1 the token id 12, which is outside the vocabulary of 12 tokens");
  EXPECT_EQ(complaint("input_ids", 7, 99), "nothing") << "padding";
  const std::string mask =
      "data set 'input_mask' holds in row 0 something else than 1 for tokens and then 0 for padding";
  EXPECT_EQ(complaint("input_mask", 0, 0), mask);
  EXPECT_EQ(complaint("input_mask", 2, 2), mask);
  EXPECT_EQ(complaint("input_mask", 7, 1), mask);
  const std::string segments =
      "data set 'segment_ids' holds in row 1 something else than 0 for the first segment and then 1 for the second";
  EXPECT_EQ(complaint("segment_ids", 8, 1), segments);
  EXPECT_EQ(complaint("segment_ids", 15, 2), segments);
  EXPECT_EQ(complaint("masked_lm_positions", 0, 6),
            "data set 'masked_lm_positions' holds in row 0 position 6 of 6 tokens");
  EXPECT_EQ(complaint("masked_lm_positions", 0, -1),
            "data set 'masked_lm_positions' holds in row 0 position -1 of 6 tokens");
  EXPECT_EQ(complaint("masked_lm_positions", 4, 3), "data set 'masked_lm_positions' holds in row 1 position 3 twice");
  EXPECT_EQ(complaint("masked_lm_ids", 4, -5), "data set 'masked_lm_ids' holds in row 1 the token id -5");
  EXPECT_EQ(complaint<MismatchError>("masked_lm_ids", 4, 12),
            "data set 'masked_lm_ids' holds in row 1 the token id 12, which is outside the vocabulary of 12 tokens");
  EXPECT_EQ(complaint("masked_lm_ids", 5, 12), "nothing") << "not used";
  EXPECT_EQ(complaint("next_sentence_labels", 1, 2),
            "data set 'next_sentence_labels' holds in row 1 2 (expected 0 or 1)");
}

TEST_F(PremaskedSetTest, NamesTheTableThatIsWrong) {
  const auto changed = [&](const std::string& table, auto&& change) {
    PremaskedFile file = two_samples();
    change(file.at(table));
    return complaint<DamagedFileError>(file);
  };
  for (const auto& [name, table] : two_samples()) {
    PremaskedFile file = two_samples();
    file.erase(name);
    EXPECT_EQ(complaint<DamagedFileError>(file), "data set '" + name + "' is missing");
    EXPECT_EQ(changed(name,
                      [](StoredTable& t) {
                        t.extent.insert(t.extent.end(), {1, 1});
                      }),
              "data set '" + name + "' is of rank " + std::to_string(table.extent.size() + 2) + " (expected 1 or 2)");
    EXPECT_EQ(changed(name, [](StoredTable& t) { t.type = H5T_IEEE_F32LE; }),
              "data set '" + name + "' does not hold integers of at most 64 bits");
  }
  EXPECT_EQ(changed("input_ids", [](StoredTable& t) { t.extent = {16}; }),
            "data set 'input_ids' has sequences of 1 tokens (expected 2 to 65535)");
  EXPECT_EQ(changed("input_mask",
                    [](StoredTable& t) {
                      t.extent = {4, 4};
                    }),
            "data set 'input_mask' is 4 x 4 (expected 2 x 8)");
  EXPECT_EQ(changed("masked_lm_ids",
                    [](StoredTable& t) {
                      t.extent = {3, 2};
                    }),
            "data set 'masked_lm_ids' is 3 x 2 (expected 2 x 3)");
  EXPECT_EQ(changed("masked_lm_positions",
                    [](StoredTable& t) {
                      t.extent = {2, 9};
                      t.values.resize(18);
                    }),
            "data set 'masked_lm_positions' has 9 positions a sequence of 8");
  EXPECT_EQ(changed("masked_lm_positions",
                    [](StoredTable& t) {
                      t.extent = {2, 0};
                      t.values.clear();
                    }),
            "data set 'masked_lm_positions' has 0 positions a sequence of 8");
  EXPECT_EQ(changed("next_sentence_labels",
                    [](StoredTable& t) {
                      t.extent = {2, 2};
                      t.values.resize(4);
                    }),
            "data set 'next_sentence_labels' is 2 x 2 (expected 2 x 1)");
}

TEST_F(PremaskedSetTest, ATableOfAnotherFileIsRefused) {
  write_premasked(path_, two_samples());
  write_file(folder_ / "values", std::string(1000, '\0'));
  const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "input_ids", H5P_DEFAULT);
  const std::array<hsize_t, 2> extent{2, 8};
  const hid_t space = H5Screate_simple(2, extent.data(), nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, (folder_ / "values").c_str(), 0, 64);
  H5Dclose(H5Dcreate2(file, "input_ids", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Pclose(creation);
  H5Sclose(space);
  H5Fclose(file);
  EXPECT_THROW(open(), DamagedFileError);
}

TEST_F(PremaskedSetTest, FilesMustHaveOneSequenceLength) {
  write_premasked(path_, two_samples());
  write_premasked(folder_ / "training_1.hdf5", many_samples(1, 3, 16));
  try {
    open();
    FAIL();
  } catch (const MismatchError& error) {
    EXPECT_EQ(error.what(), folder_ / "training_1.hdf5" + ": sequences of 16 tokens (those of " + path_ + " have 8)");
  }
}

TEST_F(PremaskedSetTest, AFileThatChangesInUseIsNoticed) {
  for (const hsize_t rows : {600, 300, 2}) {
    write_premasked(path_, many_samples(1, 600, 256));
    PremaskedSet set = open();
    write_premasked(path_, many_samples(2, rows, 256));
    EXPECT_THROW(set.sample(599), DamagedFileError) << rows;
  }
}

TEST_F(PremaskedSetTest, AnythingElseIsRefused) {
  for (const std::string content : {"", "x", "\x89HDF\r\n\x1a\n"}) {
    write_file(path_, content);
    EXPECT_THROW(open(), DamagedFileError) << content;
  }
  write_premasked(path_, two_samples());
  const std::string bytes = read_file(path_);
  for (size_t size = 0; size < bytes.size(); size += 97) {
    write_file(path_, bytes.substr(0, size));
    EXPECT_THROW(open(), DamagedFileError) << size;
  }
}

TEST_F(PremaskedSetTest, ADirectoryOfShardsIsNone) {
  EXPECT_FALSE(holds_premasked_files(folder_ / "missing"));
  EXPECT_FALSE(holds_premasked_files(folder_.path()));
  EXPECT_THROW(open(), ConfigError);
  write_file(folder_ / "a.h5", "");
  EXPECT_TRUE(holds_premasked_files(folder_.path()));
  EXPECT_FALSE(holds_premasked_files(folder_ / "a.h5"));
  for (const std::string name : {"manifest.json", "shard-00002.json"}) {
    write_file(folder_ / name, "");
    EXPECT_FALSE(holds_premasked_files(folder_.path())) << name;
    std::filesystem::remove(folder_ / name);
  }
}

}  // namespace
}  // namespace bertha
