#pragma once

#include <string>

#include "nn/parameter.h"
#include "train/comm/communicator.h"

namespace bertha {

/// Throws MismatchError naming the first rank and line in which a text differs from rank 0's. Collective.
void require_agreement(Communicator& communicator, const std::string& text);

/// Throws MismatchError naming the first parameter whose bits differ from rank 0's after `step` steps. Collective.
void require_equal_parameters(Communicator& communicator, const ParameterStore& store, int64_t step);

/// The binary this process runs, by its content.
std::string build_identity();

}  // namespace bertha
