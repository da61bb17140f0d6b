// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/random.cuh"

#include <cmath>
#include <cstdint>

namespace gpu {

/// Uniform numbers have 24 bits: what is at least the rate has at least rate * 2^24, rounded up.
inline DropoutRule dropoutRule(float rate, std::uint64_t key) {
    const double share = static_cast<double>(rate);
    return {key, static_cast<std::uint32_t>(std::ceil(share * (1 << 24))),
            static_cast<float>(1.0 / (1.0 - share))};
}

}  // namespace gpu
