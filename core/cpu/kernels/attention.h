// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/attention_kernels.h"
#include "core/cpu/kernels/packing.h"

namespace core::cpu::UPCYCLER_ISA {

/// How products of matrices of T are computed: their words; and within attention the element type
/// of probabilities, with theirs.
template <typename T>
struct MatrixTypes {
    using Source = Widened<T>;
    using Arithmetic = Floats;
    using Weight = float;
    using WeightSource = Widened<float>;
};

#if defined(__AVX512BF16__)
template <>
struct MatrixTypes<BFloat16> {
    using Source = Paired;
    using Arithmetic = Pairs;
    using Weight = BFloat16;
    using WeightSource = Paired;
};
#endif

template <typename T>
struct Attention {
    static Index scratch(Index queries, Index keys, Index headDim);
    static void forward(T* o, float* logSumExp_, const HeadView<T>& view, float* scratch);
    static void backward(T* dq, T* dk, T* dv, float* dBias, const T* dOut, const float* logSumExp_,
                         const HeadView<T>& view, float* scratch);
};

}  // namespace core::cpu::UPCYCLER_ISA
