// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/attention.h"
#include "core/cpu/kernels/packing.h"

#define UPCYCLER_JOIN_(a, b) a##b
#define UPCYCLER_JOIN(a, b) UPCYCLER_JOIN_(a, b)

namespace core::cpu {
namespace {

template <typename T>
constexpr MatrixKernels<T> kernelsOf() {
    using namespace UPCYCLER_ISA;
    using Source = typename MatrixTypes<T>::Source;
    using Arithmetic = typename MatrixTypes<T>::Arithmetic;
    const ProductKernels<T> products{
        .perWord = Source::kPerWord,
        .inPlace = inPlace<Source, T>(Source::kPerWord),
        .rightWords = rightWords,
        .packRight = packRight<Source, T>,
        .packRightTransposed = packRightTransposed<Source, T>,
        .packLeft = packLeft<Source, T>,
        .packLeftTransposed = packLeftTransposed<Source, T>,
        .multiply = multiplyBlock<Arithmetic, T>,
        .multiplyIntoFloats = multiplyBlock<Arithmetic, float>,
    };
    return {.products = products,
            .attention = {.scratch = Attention<T>::scratch,
                          .forward = Attention<T>::forward,
                          .backward = Attention<T>::backward}};
}

}  // namespace

const ProductTable& UPCYCLER_JOIN(products, UPCYCLER_ISA)() {
    static const ProductTable kTable{.f32 = kernelsOf<float>(), .bf16 = kernelsOf<BFloat16>()};
    return kTable;
}

}  // namespace core::cpu
