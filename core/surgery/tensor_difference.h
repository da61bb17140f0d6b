// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

namespace core {

class DiffWatch;

/// How far two tensors of one shape are apart.
struct TensorDifference {
    double largest = 0;    ///< max |a - b|; infinite where one is NaN and the other is not
    double reference = 0;  ///< max |a| over finite elements
    bool sameBits = true;  ///< of equal types alone
    /// largest / reference; 0 when equal, infinite when a is zero throughout and b is not.
    double relative() const;
};

/// `rounded`: a is rounded to b's type first, so that a converted copy is equal. Reads both in
/// bounded pieces. Throws Stopped when `watch` is cancelled.
TensorDifference compareTensors(const Checkpoint& a, const TensorInfo& tensorA, const Checkpoint& b,
                                const TensorInfo& tensorB, bool rounded, DiffWatch& watch);

}  // namespace core
