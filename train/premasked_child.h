#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/shard.h"

namespace bertha {

/// A file that Bertha did not write is first read in a process of its own, with limits, so that a crash or an endless
/// loop in the HDF5 library ends that process and becomes a sentence.

/// The hidden command of this program whose arguments are a file, the vocabulary's size and the objective.
inline constexpr std::string_view kPremaskedChildCommand = "check-premasked";

/// A PremaskedSet::CheckFile: this program, started once more, does check_premasked_file. Throws what that throws, and
/// DamagedFileError where the child crashes or needs more time or memory than any sound file of the size.
void check_premasked_in_child(const std::string& path, int64_t vocabulary_size, Objective objective);

/// What the child does: takes its limits upon itself, reads the file, says on standard output what is wrong with it,
/// and ends with the exit code for that.
[[noreturn]] void run_premasked_child(const std::string& path, int64_t vocabulary_size, Objective objective);

}  // namespace bertha
