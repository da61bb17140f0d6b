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

/// What the lanes of a warp do together: lanes[l] is what lane l brought. Null, or what lanes did
/// wrong.
using WarpWork = const char* (*)(void* const* lanes);

/// Waits until all 32 lanes of the warp are at this very place with the same work, which is then
/// done once; what a lane brings stays on its stack meanwhile.
void together(void* mine, WarpWork work, const Location& where);

}  // namespace simt
