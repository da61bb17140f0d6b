// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace core {

/// Bytes that this process may still take without swapping: MemAvailable, bounded by the control
/// group's and the process's own limits.
std::uint64_t availableMemoryBytes();

/// Most physical memory that this process has had so far.
std::uint64_t peakProcessBytes();

/// Throws OutOfMemory, naming both figures, when less than `bytes` is available.
void requireMemoryBytes(std::uint64_t bytes, std::string_view what);

}  // namespace core
