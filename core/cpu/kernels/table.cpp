// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

#define UPCYCLER_JOIN_(a, b) a##b
#define UPCYCLER_JOIN(a, b) UPCYCLER_JOIN_(a, b)

namespace core::cpu {

const Kernels& UPCYCLER_JOIN(kernels, UPCYCLER_ISA)() {
    using namespace UPCYCLER_ISA;
    static const Kernels kTable{
        .add = add,
        .multiply = multiply,
        .axpy = axpy,
        .scaled = scaled,
        .dot = dot,
        .sum = sumOf,
        .sumOfSquares = sumOfSquares,
        .columnSums = columnSums,
        .addRows = addRows,
        .activationForward = {geluErfForward, geluTanhForward, reluForward, siluForward},
        .activationBackward = {geluErfBackward, geluTanhBackward, reluBackward, siluBackward},
        .layerNormForward = layerNormForward,
        .layerNormBackward = layerNormBackward,
        .rmsNormForward = rmsNormForward,
        .rmsNormBackward = rmsNormBackward,
        .dropout = dropout,
        .softmaxForward = softmaxForward,
        .softmaxBackward = softmaxBackward,
        .logSumExp = logSumExp,
        .expInto = expInto,
        .binaryCrossEntropy = binaryCrossEntropy,
        .binaryCrossEntropyBackward = binaryCrossEntropyBackward,
        .attentionScratch = attentionScratch,
        .attentionForward = attentionForward,
        .attentionBackward = attentionBackward,
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
