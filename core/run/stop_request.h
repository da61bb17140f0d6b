// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace core {

/// The highest level given to requestStop so far (0 = none).
int stopRequest() noexcept;

/// True once requestStop was called: for callees that take a cancel flag.
const std::atomic<bool>& stopRequested() noexcept;

}  // namespace core
