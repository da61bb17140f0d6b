// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/convert.cuh"

#include <cstdint>

namespace gpu {

constexpr int kEight = 8;

/// Eight neighbours of a row, as sums are.
struct Eight {
    float at[kEight];
};

/// The first `count` of eight neighbours, then zeros; a wide place is at a multiple of 16 bytes and
/// has all of them or none.
template <typename T>
__device__ __forceinline__ Eight loadEight(const T* from, std::int64_t count, bool wide) {
    constexpr int kPack = static_cast<int>(16 / sizeof(T));
    Eight values{};
    if (wide) {
        for (int p = 0; p < kEight / kPack; ++p) {
            const Pack<T, kPack> pack = loadPack<kPack>(from + p * kPack);
            for (int i = 0; i < kPack; ++i) values.at[p * kPack + i] = toFloat(pack.at[i]);
        }
    } else {
        for (int i = 0; i < kEight; ++i)
            if (i < count) values.at[i] = toFloat(from[i]);
    }
    return values;
}

template <typename T>
__device__ __forceinline__ void storeEight(T* into, const Eight& values, std::int64_t count,
                                           bool wide) {
    constexpr int kPack = static_cast<int>(16 / sizeof(T));
    if (wide) {
        for (int p = 0; p < kEight / kPack; ++p) {
            Pack<T, kPack> pack;
            for (int i = 0; i < kPack; ++i) pack.at[i] = fromFloat<T>(values.at[p * kPack + i]);
            storePack(into + p * kPack, pack);
        }
    } else {
        for (int i = 0; i < kEight; ++i)
            if (i < count) into[i] = fromFloat<T>(values.at[i]);
    }
}

/// Row-major [., columns], read or written eight neighbours at a time.
template <typename T>
struct RowsOfEight {
    T* at;  ///< null: there is no such matrix
    std::int64_t columns;

    __device__ __forceinline__ Eight load(std::int64_t row, std::int64_t column) const {
        return loadEight(at + row * columns + column, columns - column, isWide());
    }
    __device__ __forceinline__ void store(std::int64_t row, std::int64_t column,
                                          const Eight& values) const {
        storeEight(at + row * columns + column, values, columns - column, isWide());
    }
    __device__ __forceinline__ bool isWide() const {
        return columns % kEight == 0 && reinterpret_cast<std::uintptr_t>(at) % 16 == 0;
    }
};

}  // namespace gpu
