// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace core {

/// One pass over a tensor's elements as f32; mean, std, min and max are over the finite ones.
struct TensorStats {
    std::uint64_t count = 0;
    std::uint64_t nonFinite = 0;
    std::uint64_t zeros = 0;
    double min = 0;
    double max = 0;
    double mean = 0;
    double std = 0;                             ///< population
    std::array<std::uint64_t, 64> histogram{};  ///< equal bins over [min, max]
};

/// Reads in pieces of bounded size; returns early with what it has (count < elements) when `cancel`
/// becomes true.
TensorStats computeStats(const Checkpoint& checkpoint, const TensorInfo& tensor,
                         const std::atomic<bool>& cancel);

}  // namespace core
