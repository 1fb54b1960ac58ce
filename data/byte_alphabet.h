#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// How files of byte-level BPE write bytes as text: each is one printable character, itself where it is printable in
/// Latin-1. Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", published code.
std::string written_bytes(std::string_view bytes);

/// Appends the bytes that are written; the text itself where it holds a character that stands for none.
void append_read_bytes(std::string_view written, std::string& bytes);

}  // namespace bertha
