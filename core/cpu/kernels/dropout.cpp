// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/keep.h"
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {

void dropout(float* y, const float* x, const Keep& keep, std::uint64_t first, Index n) {
    forKept(
        keep, first,
        n, [&](Index i, IntVec kept, auto get, auto put) __attribute__((always_inline)) {
            put(y + i, kept ? get(x + i) * keep.factor : Vec{});
        });
}

}  // namespace core::cpu::UPCYCLER_ISA
