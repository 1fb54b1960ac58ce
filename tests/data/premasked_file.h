#pragma once

#include <hdf5.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bertha {

/// A data set of integers, as a test wants it stored.
struct StoredTable {
  std::vector<hsize_t> extent;
  std::vector<int64_t> values;
  hid_t type = H5T_STD_I32LE;
  std::vector<hsize_t> chunk = {};  // compressed in chunks; empty: contiguous
};

/// The six data sets of a file by name.
using PremaskedFile = std::map<std::string, StoredTable>;

inline void write_premasked(const std::string& path, const PremaskedFile& tables) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const auto& [name, table] : tables) {
    const auto rank = static_cast<int>(table.extent.size());
    const hid_t space = H5Screate_simple(rank, table.extent.data(), nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (!table.chunk.empty()) {
      H5Pset_chunk(creation, rank, table.chunk.data());
      H5Pset_shuffle(creation);
      H5Pset_deflate(creation, 4);
    }
    const hid_t data_set = H5Dcreate2(file, name.c_str(), table.type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dwrite(data_set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, table.values.data());
    H5Dclose(data_set);
    H5Pclose(creation);
    H5Sclose(space);
  }
  H5Fclose(file);
}

/// Two samples of up to 8 tokens with 3 slots: [CLS] w0 [MASK] [SEP] w5 [SEP], and [CLS] w1 w2 w0 [SEP] w4 w2 [SEP] of
/// which one token was replaced and one kept; w0 has id 5 in a vocabulary of at least 12 tokens.
inline PremaskedFile two_samples() {
  return {{"input_ids", {{2, 8}, {2, 5, 4, 3, 10, 3, 0, 0, 2, 6, 7, 5, 3, 9, 7, 3}}},
          {"input_mask", {{2, 8}, {1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, H5T_STD_I8LE}},
          {"segment_ids", {{2, 8}, {0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1}, H5T_STD_I8LE}},
          {"masked_lm_positions", {{2, 3}, {2, 0, 0, 3, 6, 0}}},
          {"masked_lm_ids", {{2, 3}, {8, 0, 0, 11, 7, 0}}},
          {"next_sentence_labels", {{2}, {0, 1}, H5T_STD_I8LE}}};
}

}  // namespace bertha
