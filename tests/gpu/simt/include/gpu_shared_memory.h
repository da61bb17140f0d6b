// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/gpu/simt/device.h"

namespace gpu {

/// The block's dynamic shared memory: as many bytes as the launch asked for, filled with 0xFF.
template <typename T>
T* blockShared() {
    return static_cast<T*>(simt::sharedMemory());
}

}  // namespace gpu
