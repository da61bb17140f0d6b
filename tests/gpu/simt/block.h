// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/gpu/simt/device.h"
#include "tests/gpu/simt/runtime.h"

#include <cstddef>

namespace simt {

/// Runs `thread` once for every thread of every block, blocks and threads in random order; a
/// block's threads change places only where they meet. Throws Fault.
void runGrid(const void* kernel, dim3 grid, dim3 block, std::size_t sharedBytes,
             const Work& thread);

}  // namespace simt
