// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace parity {

/// Of a tensor whose rows are normalised: one row, one column, odd sizes, vectors' widths, many
/// rows.
struct NormSizes {
    std::int64_t rows;
    std::int64_t columns;
};

inline constexpr NormSizes kNormSizes[] = {{1, 1},     {1, 7},     {5, 96},  {67, 33},
                                           {200, 384}, {1000, 16}, {3, 1001}};
inline constexpr float kNormEpsilon = 1e-6F;

}  // namespace parity
