#pragma once

#include "data/file.h"

namespace bertha {

/// Whether the front of an HDF5 file fits the file, before the library sees it: its superblock is of a version there
/// is, counts in 64 bits from the file's first byte, leaves no data in another file, and ends where the file ends or
/// before. Throws DamagedFileError.
/// Source: "HDF5 File Format Specification" 3.0, II.A.
void check_hdf5_layout(const InputFile& file);

}  // namespace bertha
