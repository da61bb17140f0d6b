// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace core {

/// The label that does not count: its loss and its gradient are 0 (PyTorch's ignore_index).
inline constexpr std::int64_t kIgnoredLabel = -100;

}  // namespace core
