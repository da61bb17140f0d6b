// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gpu {

/// The index in [0, limit) that is nearest to it (gpu/indices.h says when it was another one).
__device__ __forceinline__ std::int64_t withinBounds(std::int64_t index, std::int64_t limit) {
    return index < 0 ? 0 : index < limit ? index : limit - 1;
}

}  // namespace gpu
