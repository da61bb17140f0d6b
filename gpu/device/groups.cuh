// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// The routing groups on the device: rows [begins[g], begins[g + 1]) of group g, and which rows
/// are real tokens.
struct Groups {
    const std::int64_t* begins;
    const std::uint8_t* mask;  ///< null: all are real
    std::int64_t count;

    __device__ __forceinline__ bool isReal(std::int64_t row) const {
        return mask == nullptr || mask[row] != 0;
    }

    /// The group of a row: the last one that begins at or before it.
    __device__ __forceinline__ std::int64_t of(std::int64_t row) const {
        std::int64_t low = 0;
        std::int64_t high = count;
        while (high - low > 1) {
            const std::int64_t middle = (low + high) / 2;
            if (begins[middle] <= row)
                low = middle;
            else
                high = middle;
        }
        return low;
    }
};

}  // namespace gpu
