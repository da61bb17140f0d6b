// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/tensor_stats.h"
#include "core/tensor/dtype.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <tuple>

namespace core {

/// What one block of elements adds up to. Blocks are merged in order (Chan, Golub and LeVeque
/// 1983), so that a large mean does not eat the deviation. `long double` keeps the squares of F64
/// in range.
struct Moments {
    std::uint64_t finite = 0, nan = 0, infinite = 0, zeros = 0;
    long double mean = 0, squares = 0;  ///< squares: sum of (x - mean)^2
    double min = std::numeric_limits<double>::infinity();
    double max = -std::numeric_limits<double>::infinity();
    bool rounded = false;

    void merge(const Moments& next);
    /// Everything of TensorStats but histogram and digest.
    TensorStats stats() const;
};

/// `count` elements of any dtype.
Moments momentsOf(const std::byte* from, std::size_t count, DType dtype);

/// Counts the finite elements into stats.histogram's bins by stats.min and stats.max.
void countBins(const std::byte* from, std::size_t count, DType dtype, const TensorStats& stats,
               std::array<std::uint64_t, 64>& bins);

/// The bin of a finite value in [min, max].
class BinOf {
  public:
    static constexpr std::size_t kBins = std::tuple_size_v<decltype(TensorStats::histogram)>;
    explicit BinOf(const TensorStats& stats);

    std::size_t operator()(double value) const noexcept {
        return std::min(static_cast<std::size_t>(place(value)), kBins - 1);
    }
    /// The same but for the maximum, whose place is kBins. Values outside (a file that changes
    /// while it is read) belong to the ends.
    int place(double value) const noexcept {
        const double at = (value * 0.5 - low_) * scale_;
        return static_cast<int>(std::min(std::max(at, 0.0), static_cast<double>(kBins)));
    }

  private:
    double low_ = 0;    ///< half of min: the width of the range may exceed the largest double
    double scale_ = 0;  ///< bins per half
};

}  // namespace core
