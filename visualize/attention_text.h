#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "visualize/terminal_text.h"

namespace bertha {

/// How a matrix is laid out for a terminal.
struct MatrixLayout {
  int64_t width = 80;  // columns of text; further keys come below
  TerminalColors color = TerminalColors::kOff;
};

/// A matrix of weights (n, n), queries by keys, in block characters whose height is the weight's share of the largest
/// one. A line is a query: its token, its weights and the key with the largest of them.
std::string attention_text(std::span<const std::string> tokens, std::span<const double> weights,
                           const MatrixLayout& layout);

}  // namespace bertha
