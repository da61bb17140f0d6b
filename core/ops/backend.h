// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/host_traffic.h"
#include "core/ops/optimizer_args.h"
#include "core/ops/types.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace core {

/// The table of everything a device must supply. Callers use the functions of core/ops (they check
/// shapes and dtypes and say the maths); a missing kernel is a compile error. Outputs come first;
/// `dx` is overwritten, `dWeight` is accumulated.
///
/// Activations and their gradients (x, y, q, slots, logits of a loss ...) and the weights of matrix
/// products are F32 or BF16, of one type within a call; sums are F32 or better inside. All the rest
/// is F32 in both (totals of losses F64): parameters (biases, norms, embedding tables, the
/// optimizer's weights), their gradients, statistics of norms, log-sum-exps, losses, and everything
/// of the router.
///
/// One thread calls a backend at a time. Results are
/// bitwise repeatable for the same thread count.
class Backend {
  public:
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    virtual ~Backend() = default;

    /// "cpu" or "cuda:0", and one line for people: instruction set, threads, library versions.
    virtual std::string name() const = 0;
    virtual std::string description() const = 0;
    virtual std::shared_ptr<Buffer> allocate(std::size_t bytes) = 0;
    virtual void upload(Out device, const Tensor& host) = 0;
    virtual void download(Out host, const Tensor& device) = 0;
    virtual void synchronize() = 0;
    /// What `device` holds once the work so far is done, without waiting for it.
    virtual std::unique_ptr<Readback> readBack(const Tensor& device) = 0;
    /// Uploads for the work that follows, which may overtake the work queued since the last such
    /// call: that work must not use their places. The host's memory is free when the call returns.
    virtual void uploadBeside(std::span<const HostCopy> uploads) = 0;
    /// Runs `body`, whose ops may begin together when it ends, as one graph. Those of one `key`
    /// mostly are the same ops on tensors of the same sizes. `body` is run again from its beginning
    /// where an op turned out to need the host.
    virtual void section(std::uint64_t key, const std::function<void()>& body) = 0;

    // memory.h
    virtual void fill(Out y, float value) = 0;
    virtual void copy(Out y, const Tensor& x) = 0;
    // elementwise.h
    virtual void add(Out y, const Tensor& a, const Tensor& b) = 0;
    virtual void multiply(Out y, const Tensor& a, const Tensor& b) = 0;
    virtual void accumulate(InOut y, const Tensor& x, float factor) = 0;
    virtual void scale(InOut y, float factor) = 0;
    // activation.h
    virtual void activationForward(Out y, const Tensor& x, Activation kind) = 0;
    virtual void activationBackward(Out dx, const Tensor& dy, const Tensor& x, Activation kind) = 0;
    virtual void gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                        Activation kind) = 0;
    virtual void gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                         const Tensor& gate, Activation kind) = 0;
    // linear.h
    virtual void linearForward(Out y, const Tensor& x, const Tensor& weight,
                               const Tensor& bias) = 0;
    virtual void linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) = 0;
    virtual void linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                      const Tensor& x) = 0;
    virtual void linearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                         const Tensor& bias, Activation kind) = 0;
    virtual void linearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                              const Tensor& before, Activation kind) = 0;
    // grouped_linear.h
    virtual void groupedLinearForward(Out y, const Tensor& x, const Tensor& weight,
                                      const Tensor& bias, const ExpertOffsets& offsets) = 0;
    virtual void groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                           const ExpertOffsets& offsets) = 0;
    virtual void groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                             const Tensor& x, const ExpertOffsets& offsets) = 0;
    virtual void groupedLinearActivationForward(Out y, Out before, const Tensor& x,
                                                const Tensor& weight, const Tensor& bias,
                                                const ExpertOffsets& offsets, Activation kind) = 0;
    virtual void groupedLinearActivationBackwardData(Out dBefore, const Tensor& dy,
                                                     const Tensor& weight, const Tensor& before,
                                                     const ExpertOffsets& offsets,
                                                     Activation kind) = 0;
    // layer_norm.h
    virtual void layerNormForward(Out y, Out mean, Out rstd, const Tensor& x, const Tensor& gamma,
                                  const Tensor& beta, float epsilon) = 0;
    virtual void layerNormBackward(Out dx, InOut dGamma, InOut dBeta, const Tensor& dy,
                                   const Tensor& x, const Tensor& mean, const Tensor& rstd,
                                   const Tensor& gamma) = 0;
    // rms_norm.h
    virtual void rmsNormForward(Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                                float epsilon) = 0;
    virtual void rmsNormBackward(Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                                 const Tensor& rstd, const Tensor& gamma) = 0;
    // dropout.h
    virtual void dropout(Out y, const Tensor& x, float rate, std::uint64_t key) = 0;
    // attention.h
    virtual void attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                                  const Tensor& v, const AttentionShape& shape,
                                  const AttentionOptions& options) = 0;
    virtual void attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                                   const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& o, const Tensor& logSumExp,
                                   const AttentionShape& shape,
                                   const AttentionOptions& options) = 0;
    // relative_bias.h: byDistance [queries + keys - 1] has the bucket of key j and query i at j - i
    // + queries - 1
    virtual void relativeBiasForward(Out bias, const Tensor& table,
                                     std::span<const std::int64_t> byDistance) = 0;
    virtual void relativeBiasBackward(InOut dTable, const Tensor& dBias,
                                      std::span<const std::int64_t> byDistance) = 0;
    // embedding.h
    virtual void embeddingForward(Out y, const Tensor& ids, const Tensor& table) = 0;
    virtual void embeddingBackward(InOut dTable, const Tensor& dy, const Tensor& ids) = 0;
    // patches.h
    virtual void patchify(Out patches, const Tensor& pixels, std::int64_t patch) = 0;
    virtual void embedForward(Out y, const Tensor& patches, const Tensor& cls,
                              const Tensor& positions) = 0;
    virtual void embedBackward(Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) = 0;
    // rows.h
    virtual void firstRowsForward(Out y, const Tensor& x) = 0;
    virtual void firstRowsBackward(Out dx, const Tensor& dy) = 0;
    // softmax.h
    virtual void softmaxForward(Out y, const Tensor& x) = 0;
    virtual void softmaxBackward(Out dx, const Tensor& dy, const Tensor& y) = 0;
    // cross_entropy.h
    virtual void softmaxCrossEntropyForward(Out loss, Out logSumExp, const Tensor& logits,
                                            const Tensor& labels, float labelSmoothing) = 0;
    virtual void softmaxCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                             const Tensor& logSumExp, const Tensor& labels,
                                             float labelSmoothing, float dLoss, float z) = 0;
    virtual void sigmoidCrossEntropyForward(Out loss, const Tensor& logits, const Tensor& labels,
                                            float labelSmoothing) = 0;
    virtual void sigmoidCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                             const Tensor& labels, float labelSmoothing,
                                             float dLoss) = 0;
    // routing.h
    virtual Assignment expertChoice(const Tensor& probabilities, const RoutingGroups& groups,
                                    double capacity) = 0;
    virtual Assignment topK(const Tensor& scores, const RoutingGroups& groups,
                            const TopKRule& rule) = 0;
    virtual void combineWeightsForward(Out weights, Out sums, const Tensor& probabilities,
                                       const Assignment& assignment, bool topKSoftmax,
                                       bool renormalize) = 0;
    virtual void combineWeightsBackward(InOut dProbabilities, const Tensor& dWeights,
                                        const Tensor& weights, const Tensor& sums,
                                        const Tensor& probabilities, const Assignment& assignment,
                                        bool topKSoftmax, bool renormalize) = 0;
    virtual void balanceLossForward(Out loss, const Tensor& probabilities,
                                    const RoutingGroups& groups, const Assignment& assignment) = 0;
    virtual void balanceLossBackward(InOut dProbabilities, const RoutingGroups& groups,
                                     const Assignment& assignment, float dLoss) = 0;
    virtual void zLossForward(Out loss, const Tensor& logits, const Tensor& mask) = 0;
    virtual void zLossBackward(InOut dLogits, const Tensor& logits, const Tensor& mask,
                               float dLoss) = 0;
    // moe.h
    virtual void dispatchForward(Out slots, const Tensor& x, const Assignment& assignment) = 0;
    virtual void dispatchBackward(Out dx, const Tensor& dSlots, const Assignment& assignment) = 0;
    virtual void combineForward(Out y, const Tensor& slots, const Tensor& weights,
                                const Assignment& assignment) = 0;
    virtual void combineBackward(Out dSlots, Out dWeights, const Tensor& dy, const Tensor& slots,
                                 const Tensor& weights, const Assignment& assignment) = 0;
    // reduce.h
    virtual void sum(Out total, const Tensor& x) = 0;
    virtual void sumOfSquares(Out total, std::span<const Tensor> xs) = 0;
    // optimizer.h
    virtual void stepScale(Out scale, const Tensor& squares, const Tensor& losses, double clip) = 0;
    virtual void adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient,
                           const Tensor& scale, const AdamWArgs& args) = 0;
    virtual void sgdStep(InOut weight, InOut momentum, const Tensor& gradient, const Tensor& scale,
                         const SgdArgs& args) = 0;
    virtual void adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment, InOut fullMoment,
                               const Tensor& gradient, const Tensor& scale,
                               const AdafactorArgs& args) = 0;
};

}  // namespace core
