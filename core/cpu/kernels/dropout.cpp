// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/keep.h"
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {

template <typename T>
void Dropout<T>::apply(T* y, const T* x, const Keep& keep, std::uint64_t first, Index n) {
    forKept(
        keep, first,
        n, [&](Index i, IntVec kept, auto get, auto put) __attribute__((always_inline)) {
            put(y + i, kept ? get(x + i) * keep.factor : Vec{});
        });
}

template struct Dropout<float>;
template struct Dropout<BFloat16>;

}  // namespace core::cpu::UPCYCLER_ISA
