// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/simd.h"

namespace core::cpu::UPCYCLER_ISA {

/// The largest of n >= 1 elements; NaN when an element is NaN.
template <typename T>
UPCYCLER_INLINE float largestOf(const T* x, Index n) {
    const auto larger = [](Vec a, Vec b) __attribute__((always_inline)) {
        return ((b > a) | (b != b)) ? b : a;
    };
    Vec most = splat(value(x[0]));
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes) most = larger(most, load(x + i));
    for (; i < n; ++i) most = larger(most, splat(value(x[i])));
    return fold(most, larger);
}

}  // namespace core::cpu::UPCYCLER_ISA
