// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/ops/backend.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace core::cpu {

/// Every op is defined in the file of its own name; all of them begin by setting the size of the
/// OpenMP team, because that is a property of the calling thread.
class CpuBackend final : public Backend {
  public:
    explicit CpuBackend(int threads);

    std::string name() const override;
    std::string description() const override;
    std::shared_ptr<Buffer> allocate(std::size_t bytes) override;
    void upload(Out device, const Tensor& host) override;
    void download(Out host, const Tensor& device) override;
    void synchronize() override;
    std::unique_ptr<Readback> readBack(const Tensor& device) override;
    void uploadBeside(std::span<const HostCopy> uploads) override;
    void section(std::uint64_t key, const std::function<void()>& body) override;

    // memory.h
    void fill(Out y, float value) override;
    void copy(Out y, const Tensor& x) override;
    // elementwise.h
    void add(Out y, const Tensor& a, const Tensor& b) override;
    void multiply(Out y, const Tensor& a, const Tensor& b) override;
    void accumulate(InOut y, const Tensor& x, float factor) override;
    void scale(InOut y, float factor) override;
    // activation.h
    void activationForward(Out y, const Tensor& x, Activation kind) override;
    void activationBackward(Out dx, const Tensor& dy, const Tensor& x, Activation kind) override;
    void gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                Activation kind) override;
    void gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                 const Tensor& gate, Activation kind) override;
    // linear.h
    void linearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias) override;
    void linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) override;
    void linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                              const Tensor& x) override;
    void linearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                 const Tensor& bias, Activation kind) override;
    void linearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                      const Tensor& before, Activation kind) override;
    // grouped_linear.h
    void groupedLinearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const ExpertOffsets& offsets) override;
    void groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                   const ExpertOffsets& offsets) override;
    void groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy, const Tensor& x,
                                     const ExpertOffsets& offsets) override;
    void groupedLinearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                        const Tensor& bias, const ExpertOffsets& offsets,
                                        Activation kind) override;
    void groupedLinearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                             const Tensor& before, const ExpertOffsets& offsets,
                                             Activation kind) override;
    // layer_norm.h
    void layerNormForward(Out y, Out mean, Out rstd, const Tensor& x, const Tensor& gamma,
                          const Tensor& beta, float epsilon) override;
    void layerNormBackward(Out dx, InOut dGamma, InOut dBeta, const Tensor& dy, const Tensor& x,
                           const Tensor& mean, const Tensor& rstd, const Tensor& gamma) override;
    // rms_norm.h
    void rmsNormForward(Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                        float epsilon) override;
    void rmsNormBackward(Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                         const Tensor& rstd, const Tensor& gamma) override;
    // dropout.h
    void dropout(Out y, const Tensor& x, float rate, std::uint64_t key) override;
    // attention.h
    void attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k, const Tensor& v,
                          const AttentionShape& shape, const AttentionOptions& options) override;
    void attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut, const Tensor& q,
                           const Tensor& k, const Tensor& v, const Tensor& o,
                           const Tensor& logSumExp, const AttentionShape& shape,
                           const AttentionOptions& options) override;
    // relative_bias.h: byDistance [queries + keys - 1] has the bucket of key j and query i at j - i
    // + queries - 1
    void relativeBiasForward(Out bias, const Tensor& table,
                             std::span<const std::int64_t> byDistance) override;
    void relativeBiasBackward(InOut dTable, const Tensor& dBias,
                              std::span<const std::int64_t> byDistance) override;
    // embedding.h
    void embeddingForward(Out y, const Tensor& ids, const Tensor& table) override;
    void embeddingBackward(InOut dTable, const Tensor& dy, const Tensor& ids) override;
    // patches.h
    void patchify(Out patches, const Tensor& pixels, std::int64_t patch) override;
    void embedForward(Out y, const Tensor& patches, const Tensor& cls,
                      const Tensor& positions) override;
    void embedBackward(Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) override;
    // rows.h
    void firstRowsForward(Out y, const Tensor& x) override;
    void firstRowsBackward(Out dx, const Tensor& dy) override;
    // softmax.h
    void softmaxForward(Out y, const Tensor& x) override;
    void softmaxBackward(Out dx, const Tensor& dy, const Tensor& y) override;
    // cross_entropy.h
    void softmaxCrossEntropyForward(Out loss, Out logSumExp, const Tensor& logits,
                                    const Tensor& labels, float labelSmoothing) override;
    void softmaxCrossEntropyBackward(Out dLogits, const Tensor& logits, const Tensor& logSumExp,
                                     const Tensor& labels, float labelSmoothing, float dLoss,
                                     float z) override;
    void sigmoidCrossEntropyForward(Out loss, const Tensor& logits, const Tensor& labels,
                                    float labelSmoothing) override;
    void sigmoidCrossEntropyBackward(Out dLogits, const Tensor& logits, const Tensor& labels,
                                     float labelSmoothing, float dLoss) override;
    // routing.h
    Assignment expertChoice(const Tensor& probabilities, const RoutingGroups& groups,
                            double capacity) override;
    Assignment topK(const Tensor& scores, const RoutingGroups& groups,
                    const TopKRule& rule) override;
    void combineWeightsForward(Out weights, Out sums, const Tensor& probabilities,
                               const Assignment& assignment, bool topKSoftmax,
                               bool renormalize) override;
    void combineWeightsBackward(InOut dProbabilities, const Tensor& dWeights, const Tensor& weights,
                                const Tensor& sums, const Tensor& probabilities,
                                const Assignment& assignment, bool topKSoftmax,
                                bool renormalize) override;
    void balanceLossForward(Out loss, const Tensor& probabilities, const RoutingGroups& groups,
                            const Assignment& assignment) override;
    void balanceLossBackward(InOut dProbabilities, const RoutingGroups& groups,
                             const Assignment& assignment, float dLoss) override;
    void zLossForward(Out loss, const Tensor& logits, const Tensor& mask) override;
    void zLossBackward(InOut dLogits, const Tensor& logits, const Tensor& mask,
                       float dLoss) override;
    // moe.h
    void dispatchForward(Out slots, const Tensor& x, const Assignment& assignment) override;
    void dispatchBackward(Out dx, const Tensor& dSlots, const Assignment& assignment) override;
    void combineForward(Out y, const Tensor& slots, const Tensor& weights,
                        const Assignment& assignment) override;
    void combineBackward(Out dSlots, Out dWeights, const Tensor& dy, const Tensor& slots,
                         const Tensor& weights, const Assignment& assignment) override;
    // reduce.h
    void sum(Out total, const Tensor& x) override;
    void sumOfSquares(Out total, std::span<const Tensor> xs) override;
    // optimizer.h
    void stepScale(Out scale, const Tensor& squares, const Tensor& losses, double clip) override;
    void adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient, const Tensor& scale,
                   const AdamWArgs& args) override;
    void sgdStep(InOut weight, InOut momentum, const Tensor& gradient, const Tensor& scale,
                 const SgdArgs& args) override;
    void adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment, InOut fullMoment,
                       const Tensor& gradient, const Tensor& scale,
                       const AdafactorArgs& args) override;

  private:
    /// Makes the calling thread's loops use `threads_` and returns the loops of the chosen
    /// instruction set.
    const Kernels& start() const;
    /// Scratch of at least n floats or doubles that is kept between calls.
    float* floatScratch(std::size_t n);
    double* doubleScratch(std::size_t n);

    int threads_;
    const Kernels& kernels_;
    std::vector<float> floatScratch_;
    std::vector<double> doubleScratch_;
};

/// Fewest elements worth a thread of their own in loops that are bound by memory.
constexpr std::int64_t kElementGrain = 1 << 14;

/// The rows of `columns` elements that make up that much.
constexpr std::int64_t rowGrain(std::int64_t columns) {
    return kElementGrain / (columns > 0 ? columns : 1) + 1;
}

/// f.template operator()<T>() with T the element type of activations of this dtype.
template <typename F>
void withElements(DType dtype, const F& f) {
    if (dtype == DType::BF16)
        f.template operator()<BFloat16>();
    else
        f.template operator()<float>();
}

template <typename T>
void setZero(T* into, std::int64_t n) {
    std::fill_n(reinterpret_cast<std::byte*>(into), static_cast<std::size_t>(n) * sizeof(T),
                std::byte{0});
}

/// 0 <= rate < 1.
Keep keepOf(float rate, std::uint64_t key);

}  // namespace core::cpu
