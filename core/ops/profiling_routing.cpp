// SPDX-License-Identifier: Apache-2.0
// Losses, routing, experts' rows, sums and optimizers.
#include "core/ops/profiling_backend.h"

namespace core {

void ProfilingBackend::softmaxCrossEntropyForward(Out loss, Out logSumExp, const Tensor& logits,
                                                  const Tensor& labels, float labelSmoothing) {
    measure("softmaxCrossEntropyForward", logits, {0, bytesOf(loss, logSumExp, logits, labels)},
            [&] {
                inner_->softmaxCrossEntropyForward(loss, logSumExp, logits, labels, labelSmoothing);
            });
}

void ProfilingBackend::softmaxCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                                   const Tensor& logSumExp, const Tensor& labels,
                                                   float labelSmoothing, float dLoss, float z) {
    measure("softmaxCrossEntropyBackward", logits, {0, bytesOf(dLogits, logits, logSumExp, labels)},
            [&] {
                inner_->softmaxCrossEntropyBackward(dLogits, logits, logSumExp, labels,
                                                    labelSmoothing, dLoss, z);
            });
}

void ProfilingBackend::sigmoidCrossEntropyForward(Out loss, const Tensor& logits,
                                                  const Tensor& labels, float labelSmoothing) {
    measure("sigmoidCrossEntropyForward", logits, {0, bytesOf(loss, logits, labels)},
            [&] { inner_->sigmoidCrossEntropyForward(loss, logits, labels, labelSmoothing); });
}

void ProfilingBackend::sigmoidCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                                   const Tensor& labels, float labelSmoothing,
                                                   float dLoss) {
    measure("sigmoidCrossEntropyBackward", logits, {0, bytesOf(dLogits, logits, labels)}, [&] {
        inner_->sigmoidCrossEntropyBackward(dLogits, logits, labels, labelSmoothing, dLoss);
    });
}

Assignment ProfilingBackend::expertChoice(const Tensor& probabilities, const RoutingGroups& groups,
                                          double capacity) {
    return measure("expertChoice", probabilities, {0, bytesOf(probabilities, groups.mask)},
                   [&] { return inner_->expertChoice(probabilities, groups, capacity); });
}

Assignment ProfilingBackend::topK(const Tensor& scores, const RoutingGroups& groups,
                                  const TopKRule& rule) {
    return measure("topK", scores, {0, bytesOf(scores, groups.mask)},
                   [&] { return inner_->topK(scores, groups, rule); });
}

void ProfilingBackend::combineWeightsForward(Out weights, Out sums, const Tensor& probabilities,
                                             const Assignment& assignment, bool topKSoftmax,
                                             bool renormalize) {
    measure("combineWeightsForward", probabilities,
            {0, bytesOf(weights, weights, sums) + assignmentBytes(assignment)}, [&] {
                inner_->combineWeightsForward(weights, sums, probabilities, assignment, topKSoftmax,
                                              renormalize);
            });
}

void ProfilingBackend::combineWeightsBackward(InOut dProbabilities, const Tensor& dWeights,
                                              const Tensor& weights, const Tensor& sums,
                                              const Tensor& probabilities,
                                              const Assignment& assignment, bool topKSoftmax,
                                              bool renormalize) {
    measure("combineWeightsBackward", probabilities,
            {0, bytesOf(dWeights, weights, sums, weights, weights, weights) +
                    assignmentBytes(assignment)},
            [&] {
                inner_->combineWeightsBackward(dProbabilities, dWeights, weights, sums,
                                               probabilities, assignment, topKSoftmax, renormalize);
            });
}

void ProfilingBackend::balanceLossForward(Out loss, const Tensor& probabilities,
                                          const RoutingGroups& groups,
                                          const Assignment& assignment) {
    measure("balanceLossForward", probabilities,
            {0, bytesOf(loss, probabilities, groups.mask, assignment.groupRequested)},
            [&] { inner_->balanceLossForward(loss, probabilities, groups, assignment); });
}

void ProfilingBackend::balanceLossBackward(InOut dProbabilities, const RoutingGroups& groups,
                                           const Assignment& assignment, float dLoss) {
    measure("balanceLossBackward", dProbabilities,
            {0, bytesOf(dProbabilities, dProbabilities, groups.mask, assignment.groupRequested)},
            [&] { inner_->balanceLossBackward(dProbabilities, groups, assignment, dLoss); });
}

void ProfilingBackend::zLossForward(Out loss, const Tensor& logits, const Tensor& mask) {
    measure("zLossForward", logits, {0, bytesOf(loss, logits, mask)},
            [&] { inner_->zLossForward(loss, logits, mask); });
}

void ProfilingBackend::zLossBackward(InOut dLogits, const Tensor& logits, const Tensor& mask,
                                     float dLoss) {
    measure("zLossBackward", logits, {0, bytesOf(dLogits, dLogits, logits, mask)},
            [&] { inner_->zLossBackward(dLogits, logits, mask, dLoss); });
}

void ProfilingBackend::dispatchForward(Out slots, const Tensor& x, const Assignment& assignment) {
    measure("dispatchForward", slots, {0, bytesOf(slots, slots, assignment.slotToken)},
            [&] { inner_->dispatchForward(slots, x, assignment); });
}

void ProfilingBackend::dispatchBackward(Out dx, const Tensor& dSlots,
                                        const Assignment& assignment) {
    measure("dispatchBackward", dSlots,
            {0, bytesOf(dx, dSlots, assignment.tokenOffsets, assignment.tokenSlots)},
            [&] { inner_->dispatchBackward(dx, dSlots, assignment); });
}

void ProfilingBackend::combineForward(Out y, const Tensor& slots, const Tensor& weights,
                                      const Assignment& assignment) {
    measure("combineForward", slots,
            {0, bytesOf(y, slots, weights, assignment.tokenOffsets, assignment.tokenSlots)},
            [&] { inner_->combineForward(y, slots, weights, assignment); });
}

void ProfilingBackend::combineBackward(Out dSlots, Out dWeights, const Tensor& dy,
                                       const Tensor& slots, const Tensor& weights,
                                       const Assignment& assignment) {
    measure("combineBackward", slots,
            {0, bytesOf(dSlots, dSlots, dWeights, slots, weights, assignment.slotToken)},
            [&] { inner_->combineBackward(dSlots, dWeights, dy, slots, weights, assignment); });
}

void ProfilingBackend::sum(Out total, const Tensor& x) {
    measure("sum", x, {0, bytesOf(total, x)}, [&] { inner_->sum(total, x); });
}

void ProfilingBackend::sumOfSquares(Out total, std::span<const Tensor> xs) {
    OpWork work{0, bytesOf(total)};
    for (const Tensor& x : xs) work.bytes += bytesOf(x);
    measureAs("sumOfSquares", std::to_string(xs.size()) + " tensors", DType::F32, work,
              [&] { return inner_->sumOfSquares(total, xs); });
}

void ProfilingBackend::stepScale(Out scale, const Tensor& squares, const Tensor& losses,
                                 double clip) {
    measure("stepScale", losses, {0, bytesOf(scale, squares, losses)},
            [&] { inner_->stepScale(scale, squares, losses, clip); });
}

void ProfilingBackend::adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient,
                                 const Tensor& scale, const AdamWArgs& args) {
    measure("adamwStep", weight, {0, bytesOf(weight, weight, m, m, v, v, gradient)},
            [&] { inner_->adamwStep(weight, m, v, gradient, scale, args); });
}

void ProfilingBackend::sgdStep(InOut weight, InOut momentum, const Tensor& gradient,
                               const Tensor& scale, const SgdArgs& args) {
    measure("sgdStep", weight, {0, bytesOf(weight, weight, momentum, momentum, gradient)},
            [&] { inner_->sgdStep(weight, momentum, gradient, scale, args); });
}

void ProfilingBackend::adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment,
                                     InOut fullMoment, const Tensor& gradient, const Tensor& scale,
                                     const AdafactorArgs& args) {
    measure("adafactorStep", weight,
            {0, bytesOf(weight, weight, rowMoment, rowMoment, columnMoment, columnMoment) +
                    bytesOf(fullMoment, fullMoment, gradient)},
            [&] {
                inner_->adafactorStep(weight, rowMoment, columnMoment, fullMoment, gradient, scale,
                                      args);
            });
}

}  // namespace core
