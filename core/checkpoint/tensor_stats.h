// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/byte_digest.h"
#include "core/checkpoint/checkpoint.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

namespace core {

/// One tensor's elements, each taken as the number that it stands for: F64 and integers in double,
/// all else exactly. mean, std, min and max are over the finite ones.
struct TensorStats {
    std::uint64_t count = 0;
    std::uint64_t nan = 0;
    std::uint64_t infinite = 0;
    std::uint64_t zeros = 0;
    double min = 0;
    double max = 0;
    double mean = 0;
    double std = 0;                             ///< population
    std::array<std::uint64_t, 64> histogram{};  ///< equal bins over [min, max]
    /// An integer beyond 2^53 occurs, which a double rounds: min, max and mean are near, not exact.
    bool rounded = false;
    ByteDigest digest;  ///< of the stored bytes

    std::uint64_t nonFinite() const noexcept { return nan + infinite; }
    std::uint64_t finite() const noexcept { return count - nonFinite(); }
    bool operator==(const TensorStats&) const = default;
};

/// Called with the bytes of the tensor that are done with; may come from one thread only.
using StatsProgress = std::function<void(std::uint64_t bytes)>;

/// Reads ahead in pieces while `threads()` threads count; the result does not depend on how many. A
/// tensor of up to 64 MiB (of any size where elements have 8 or 16 bits) is read once, a larger one
/// a second time for its histogram; memory stays under 64 MiB and a few pieces. Returns early with
/// what it has (count < elements) when `cancel` becomes true.
TensorStats computeStats(const Checkpoint& checkpoint, const TensorInfo& tensor,
                         const std::atomic<bool>& cancel, const StatsProgress& progress = {});

}  // namespace core
