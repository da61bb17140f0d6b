// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

#define UPCYCLER_JOIN_(a, b) a##b
#define UPCYCLER_JOIN(a, b) UPCYCLER_JOIN_(a, b)

namespace core::cpu {
namespace {

using namespace UPCYCLER_ISA;

template <typename T>
constexpr ElementKernels<T> kElements{
    .add = Elementwise<T>::add,
    .multiply = Elementwise<T>::multiply,
    .axpy = Elementwise<T>::axpy,
    .scaled = Elementwise<T>::scaled,
    .dot = Elementwise<T>::dot,
    .sum = Elementwise<T>::sum,
    .columnSums = Elementwise<T>::columnSums,
    .addRows = Elementwise<T>::addRows,
    .addFloats = Elementwise<T>::addFloats,
    .addTo = Elementwise<T>::addTo,
    .fromFloats = Elementwise<T>::fromFloats,
    .toFloats = Elementwise<T>::toFloats,
    .sumOfRows = Elementwise<T>::sumOfRows,
    .activationForward = {Activated<T, 0>::forward, Activated<T, 1>::forward,
                          Activated<T, 2>::forward, Activated<T, 3>::forward},
    .activationBackward = {Activated<T, 0>::backward, Activated<T, 1>::backward,
                           Activated<T, 2>::backward, Activated<T, 3>::backward},
    .gatedForward = {Activated<T, 0>::gatedForward, Activated<T, 1>::gatedForward,
                     Activated<T, 2>::gatedForward, Activated<T, 3>::gatedForward},
    .gatedBackward = {Activated<T, 0>::gatedBackward, Activated<T, 1>::gatedBackward,
                      Activated<T, 2>::gatedBackward, Activated<T, 3>::gatedBackward},
    .layerNormForward = LayerNorm<T>::forward,
    .layerNormBackward = LayerNorm<T>::backward,
    .rmsNormForward = RmsNorm<T>::forward,
    .rmsNormBackward = RmsNorm<T>::backward,
    .dropout = Dropout<T>::apply,
    .logSumExp = CrossEntropy<T>::logSumExp,
    .crossEntropyBackward = CrossEntropy<T>::backward,
    .binaryCrossEntropy = CrossEntropy<T>::binary,
    .binaryCrossEntropyBackward = CrossEntropy<T>::binaryBackward,
};

}  // namespace

const Kernels& UPCYCLER_JOIN(kernels, UPCYCLER_ISA)() {
    static const Kernels kTable{
        .f32 = kElements<float>,
        .bf16 = kElements<BFloat16>,
        .sumOfSquares = sumOfSquares,
        .softmaxForward = softmaxForward,
        .softmaxBackward = softmaxBackward,
        .expInto = expInto,
        .adamw = adamw,
        .sgd = sgd,
        .squareSums = squareSums,
        .weightedSquares = weightedSquares,
        .adafactorRow = adafactorRow,
        .adafactorMoment = adafactorMoment,
        .adafactorFull = adafactorFull,
    };
    return kTable;
}

}  // namespace core::cpu
