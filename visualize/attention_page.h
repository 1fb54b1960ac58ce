#pragma once

#include <span>
#include <string>

#include "visualize/attention_capture.h"

namespace bertha {

/// A page that shows one model's attention, or that of several beside each other, which read the same tokens. Throws as
/// AttentionModel::attend does.
std::string attention_page(std::span<const AttentionSubject> subjects);

}  // namespace bertha
