// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"
#include "core/ops/op_work.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace core {

/// All calls of one op with tensors of one size.
struct OpProfile {
    std::string op;            ///< the Backend's function
    std::string sizes;         ///< of its first tensor, or what decides its products
    DType dtype = DType::F32;  ///< in which its products are
    std::int64_t calls = 0;
    double seconds = 0;  ///< from the call to the end of the device's work
    OpWork work;         ///< of all calls together
};

/// A Backend that hands every call on to another and, while it records, waits for the device after
/// each and keeps what it took. On a device that works beside the host the waiting costs time of
/// its own. It also knows how much memory was allocated through it.
class ProfilingBackend final : public Backend {
  public:
    explicit ProfilingBackend(std::shared_ptr<Backend> inner);

    void setRecording(bool recording);
    /// What was recorded so far, in the order of the first calls.
    std::vector<OpProfile> profile() const;
    /// Bytes that are allocated through this backend, and the most that were at once.
    std::size_t liveBytes() const;
    std::size_t peakBytes() const;

    std::string name() const override;
    std::string description() const override;
    std::shared_ptr<Buffer> allocate(std::size_t bytes) override;
    void upload(Out device, const Tensor& host) override;
    void download(Out host, const Tensor& device) override;
    void synchronize() override;
    std::unique_ptr<Readback> readBack(const Tensor& device) override;
    void uploadBeside(std::span<const HostCopy> uploads) override;
    void section(std::uint64_t key, const std::function<void()>& body) override;
    void fill(Out y, float value) override;
    void copy(Out y, const Tensor& x) override;
    void add(Out y, const Tensor& a, const Tensor& b) override;
    void multiply(Out y, const Tensor& a, const Tensor& b) override;
    void accumulate(InOut y, const Tensor& x, float factor) override;
    void scale(InOut y, float factor) override;
    void activationForward(Out y, const Tensor& x, Activation kind) override;
    void activationBackward(Out dx, const Tensor& dy, const Tensor& x, Activation kind) override;
    void gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                Activation kind) override;
    void gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                 const Tensor& gate, Activation kind) override;
    void linearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias) override;
    void linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) override;
    void linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                              const Tensor& x) override;
    void linearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                 const Tensor& bias, Activation kind) override;
    void linearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                      const Tensor& before, Activation kind) override;
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
    void layerNormForward(Out y, Out mean, Out rstd, const Tensor& x, const Tensor& gamma,
                          const Tensor& beta, float epsilon) override;
    void layerNormBackward(Out dx, InOut dGamma, InOut dBeta, const Tensor& dy, const Tensor& x,
                           const Tensor& mean, const Tensor& rstd, const Tensor& gamma) override;
    void rmsNormForward(Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                        float epsilon) override;
    void rmsNormBackward(Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                         const Tensor& rstd, const Tensor& gamma) override;
    void dropout(Out y, const Tensor& x, float rate, std::uint64_t key) override;
    void attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k, const Tensor& v,
                          const AttentionShape& shape, const AttentionOptions& options) override;
    void attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut, const Tensor& q,
                           const Tensor& k, const Tensor& v, const Tensor& o,
                           const Tensor& logSumExp, const AttentionShape& shape,
                           const AttentionOptions& options) override;
    void relativeBiasForward(Out bias, const Tensor& table,
                             std::span<const std::int64_t> byDistance) override;
    void relativeBiasBackward(InOut dTable, const Tensor& dBias,
                              std::span<const std::int64_t> byDistance) override;
    void embeddingForward(Out y, const Tensor& ids, const Tensor& table) override;
    void embeddingBackward(InOut dTable, const Tensor& dy, const Tensor& ids) override;
    void patchify(Out patches, const Tensor& pixels, std::int64_t patch) override;
    void embedForward(Out y, const Tensor& patches, const Tensor& cls,
                      const Tensor& positions) override;
    void embedBackward(Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) override;
    void firstRowsForward(Out y, const Tensor& x) override;
    void firstRowsBackward(Out dx, const Tensor& dy) override;
    void softmaxForward(Out y, const Tensor& x) override;
    void softmaxBackward(Out dx, const Tensor& dy, const Tensor& y) override;
    void softmaxCrossEntropyForward(Out loss, Out logSumExp, const Tensor& logits,
                                    const Tensor& labels, float labelSmoothing) override;
    void softmaxCrossEntropyBackward(Out dLogits, const Tensor& logits, const Tensor& logSumExp,
                                     const Tensor& labels, float labelSmoothing, float dLoss,
                                     float z) override;
    void sigmoidCrossEntropyForward(Out loss, const Tensor& logits, const Tensor& labels,
                                    float labelSmoothing) override;
    void sigmoidCrossEntropyBackward(Out dLogits, const Tensor& logits, const Tensor& labels,
                                     float labelSmoothing, float dLoss) override;
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
    void dispatchForward(Out slots, const Tensor& x, const Assignment& assignment) override;
    void dispatchBackward(Out dx, const Tensor& dSlots, const Assignment& assignment) override;
    void combineForward(Out y, const Tensor& slots, const Tensor& weights,
                        const Assignment& assignment) override;
    void combineBackward(Out dSlots, Out dWeights, const Tensor& dy, const Tensor& slots,
                         const Tensor& weights, const Assignment& assignment) override;
    void sum(Out total, const Tensor& x) override;
    void sumOfSquares(Out total, std::span<const Tensor> xs) override;
    void stepScale(Out scale, const Tensor& squares, const Tensor& losses, double clip) override;
    void adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient, const Tensor& scale,
                   const AdamWArgs& args) override;
    void sgdStep(InOut weight, InOut momentum, const Tensor& gradient, const Tensor& scale,
                 const SgdArgs& args) override;
    void adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment, InOut fullMoment,
                       const Tensor& gradient, const Tensor& scale,
                       const AdafactorArgs& args) override;

  private:
    struct Allocated;

    /// Runs `call` and books it. `shown` decides the sizes that are told apart.
    template <typename Call>
    auto measure(const char* op, const Tensor& shown, const OpWork& work, Call call) {
        return measureAs(op, toString(shown.shape()), shown.dtype(), work, std::move(call));
    }
    template <typename Call>
    auto measureAs(const char* op, const std::string& sizes, DType dtype, const OpWork& work,
                   Call call) {
        if (!recording_) return call();
        const auto begin = std::chrono::steady_clock::now();
        if constexpr (std::is_void_v<decltype(call())>) {
            call();
            book(op, sizes, dtype, work, begin);
        } else {
            auto result = call();
            book(op, sizes, dtype, work, begin);
            return result;
        }
    }
    void book(const char* op, const std::string& sizes, DType dtype, const OpWork& work,
              std::chrono::steady_clock::time_point begin);

    std::shared_ptr<Backend> inner_;
    std::shared_ptr<Allocated> allocated_;
    bool recording_ = false;
    std::vector<OpProfile> profile_;
    std::map<std::pair<std::string, std::string>, std::size_t> places_;  ///< by op and sizes
};

}  // namespace core
