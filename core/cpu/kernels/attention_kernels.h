// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"

#include <cstdint>

namespace core::cpu {

/// One head's matrices for attention: rows of `stride` elements, `headDim` of them used.
template <typename T>
struct HeadView {
    const T* q;
    const T* k;
    const T* v;
    std::int64_t stride;
    std::int64_t queries;
    std::int64_t keys;
    std::int64_t headDim;
    float scale;
    const float* bias;         ///< [queries, keys] or null
    const std::uint8_t* mask;  ///< [keys], 0 = not seen; or null
    std::int64_t sight;        ///< query i sees the keys below i + sight (and those of the mask)
    Keep keep;                 ///< of the probabilities
    std::uint64_t firstKept;   ///< element of query 0 and key 0
};

/// Attention of one head on one thread; scores of a few queries at a time are in scratch.
template <typename T>
struct AttentionKernels {
    using Index = std::int64_t;

    /// Floats of scratch that a thread needs, from an address that is a multiple of 64 on.
    Index (*scratch)(Index queries, Index keys, Index headDim);
    /// o: rows of view.stride; logSumExp [queries].
    void (*forward)(T* o, float* logSumExp, const HeadView<T>& view, float* scratch);
    /// dBias [queries, keys] accumulated, or null.
    void (*backward)(T* dq, T* dk, T* dv, float* dBias, const T* dOut, const float* logSumExp,
                     const HeadView<T>& view, float* scratch);
};

}  // namespace core::cpu
