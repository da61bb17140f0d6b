// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace core::cpu {

/// y [rows, out] = x [rows, in] weight^T; weight [out, in].
void productForward(float* y, const float* x, const float* weight, std::int64_t rows,
                    std::int64_t in, std::int64_t out);

/// dx [rows, in] = dy [rows, out] weight.
void productBackwardData(float* dx, const float* dy, const float* weight, std::int64_t rows,
                         std::int64_t in, std::int64_t out);

/// dWeight [out, in] += dy^T x.
void productBackwardWeight(float* dWeight, const float* dy, const float* x, std::int64_t rows,
                           std::int64_t in, std::int64_t out);

}  // namespace core::cpu
