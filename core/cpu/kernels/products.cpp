// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/packing.h"

#define UPCYCLER_JOIN_(a, b) a##b
#define UPCYCLER_JOIN(a, b) UPCYCLER_JOIN_(a, b)

namespace core::cpu {
namespace {

template <typename T, typename Source, typename Arithmetic>
constexpr ProductKernels<T> kernelsOf(bool inPlace) {
    using namespace UPCYCLER_ISA;
    return {
        .perWord = Source::kPerWord,
        .inPlace = inPlace,
        .rightWords = rightWords,
        .packRight = packRight<Source, T>,
        .packRightTransposed = packRightTransposed<Source, T>,
        .packLeft = packLeft<Source, T>,
        .packLeftTransposed = packLeftTransposed<Source, T>,
        .multiply = multiplyBlock<Arithmetic, T>,
        .multiplyIntoFloats = multiplyBlock<Arithmetic, float>,
    };
}

}  // namespace

const ProductTable& UPCYCLER_JOIN(products, UPCYCLER_ISA)() {
    using namespace UPCYCLER_ISA;
    static const ProductTable kTable {
        .f32 = kernelsOf<float, Widened<float>, Floats>(true),
#if defined(__AVX512BF16__)
        .bf16 = kernelsOf<BFloat16, Paired, Pairs>(true),
#else
        .bf16 = kernelsOf<BFloat16, Widened<BFloat16>, Floats>(false),
#endif
    };
    return kTable;
}

}  // namespace core::cpu
