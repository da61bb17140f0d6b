// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/launch.h"
#include "gpu/tensors.h"

#include <cstdint>
#include <initializer_list>

namespace gpu {

constexpr std::int64_t divideUp(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// Threads of a block where a thread has an element or a warp a row, and the blocks.
constexpr int kBlock = kElementThreads;
inline dim3 blocksFor(std::int64_t threads) {
    return dim3(static_cast<unsigned>(divideUp(threads, kBlock)));
}
inline dim3 warpsFor(std::int64_t rows) { return blocksFor(rows * 32); }

/// run.operator()<T>() with the device's type of activations.
template <typename Run>
void withType(core::DType type, Run run) {
    forType(type, [&](auto tag) { run.template operator()<typename decltype(tag)::Type>(); });
}

/// run.operator()<T, N>(): N elements of T are moved at a time, 16 bytes of them where all rows of
/// `columns` elements of all the tensors begin at places that allow it, else one.
template <typename Run>
void withPacks(core::DType type, std::int64_t columns,
               std::initializer_list<const core::Tensor*> tensors, Run run) {
    constexpr std::uintptr_t kFloatsOfPack = 32;  // eight floats beside eight BF16
    bool wide = columns % (type == core::DType::BF16 ? 8 : 4) == 0;
    for (const core::Tensor* t : tensors)
        wide = wide && reinterpret_cast<std::uintptr_t>(t->raw()) % kFloatsOfPack == 0;
    withType(type, [&]<typename T>() {
        if (wide)
            run.template operator()<T, static_cast<int>(16 / sizeof(T))>();
        else
            run.template operator()<T, 1>();
    });
}

}  // namespace gpu
