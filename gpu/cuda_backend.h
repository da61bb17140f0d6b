// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"
#include "gpu/blas.h"
#include "gpu/handles.h"
#include "gpu/indices.h"
#include "gpu/memory_pool.h"
#include "gpu/readback.h"
#include "gpu/sections.h"
#include "gpu/staging.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gpu {

class LinearProducts;

/// The Backend of one CUDA device; every op is defined in the file of its own name.
///
/// All work goes to one stream and returns at once, apart from what gives the host a value
/// (download, an Assignment whose counts are not known beforehand); only uploadBeside has a stream
/// of its own. Ids and labels out of bounds are told by the next call that waits. Whoever calls has
/// made the device current in this thread.
class CudaBackend final : public core::Backend {
    using Tensor = core::Tensor;
    using Out = core::Out;
    using InOut = core::InOut;
    using Activation = core::Activation;
    using AttentionShape = core::AttentionShape;
    using AttentionOptions = core::AttentionOptions;
    using Assignment = core::Assignment;
    using ExpertOffsets = core::ExpertOffsets;
    using RoutingGroups = core::RoutingGroups;
    using TopKRule = core::TopKRule;
    using AdamWArgs = core::AdamWArgs;
    using SgdArgs = core::SgdArgs;
    using AdafactorArgs = core::AdafactorArgs;

  public:
    /// Makes the device current. Throws core::Error{Device}.
    explicit CudaBackend(int device);
    ~CudaBackend() override;

    std::string name() const override;
    std::string description() const override;
    /// CUDA graphs launched so far.
    std::int64_t graphsLaunched() const noexcept { return sections_.launched(); }
    std::shared_ptr<core::Buffer> allocate(std::size_t bytes) override;
    /// The host's elements are read before the call returns.
    void upload(Out device, const Tensor& host) override;
    /// The elements are there when the call returns.
    void download(Out host, const Tensor& device) override;
    void synchronize() override;
    std::unique_ptr<core::Readback> readBack(const Tensor& device) override;
    void uploadBeside(std::span<const core::HostCopy> uploads) override;
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
    cudaStream_t stream() const { return stream_.get(); }
    int multiprocessors() const { return multiprocessors_; }

    /// Device memory of at least that size for the op that runs, aligned to 256 bytes,
    /// uninitialised; the next call gives the same memory (ops run one after another), so that an
    /// op asks once.
    void* scratch(std::size_t bytes);
    template <typename T>
    T* scratchOf(std::size_t count) {
        return static_cast<T*>(scratch(count * sizeof(T)));
    }

    /// A copy on the device of a few values that the host has just made, good for the kernels that
    /// are started next; asynchronous.
    template <typename T>
    const T* stage(std::span<const T> values) {
        return static_cast<const T*>(staging_.stage(values.data(), values.size_bytes()));
    }
    /// The same for values that follow from shapes: kept, and copied only the first time.
    template <typename T>
    const T* stageConstant(std::span<const T> values) {
        return static_cast<const T*>(staging_.constant(values.data(), values.size_bytes()));
    }

    /// Waits for the device, and says what it has found.
    void wait();

    /// The offsets [E + 1] on the device (grouped_linear.cu).
    const std::int64_t* onDevice(const ExpertOffsets& offsets);

    /// The bias in the type of y, as cuBLASLt wants it; undefined stays so (grouped_linear.cu).
    Tensor biasLike(const Tensor& y, const Tensor& bias);

    /// The products of experts with as many rows each (grouped_linear.cu).
    LinearProducts evenProducts(std::span<const std::int64_t> offsets, std::int64_t in,
                                std::int64_t out, core::DType type);

    void adafactorFactored(float* weight, float* rowMoment, float* columnMoment,
                           const float* gradient, const float* scale, const AdafactorArgs& args,
                           double decay);
    void adafactorFull(float* weight, float* moment, const float* gradient, const float* scale,
                       const AdafactorArgs& args, double decay);

    /// total = the sum of all the elements, or of their squares (reduce.cu).
    void sumInto(double* total, std::span<const Tensor> xs, bool squares);

    int device_;
    int multiprocessors_ = 1;
    std::string deviceName_;
    Stream stream_;
    Stream besideStream_;
    std::shared_ptr<MemoryPool> pool_;
    Staging staging_;
    Staging besideStaging_;
    Event besideBefore_;  ///< the work that was queued before the last uploadBeside
    Event besideDone_;
    IndexChecks indices_;
    PinnedMemory badIndex_;
    Readbacks readbacks_;
    Sections sections_;
    Blas blas_;
    DeviceMemory scratch_;
};

/// Makes it for the device of this number; throws core::Error{Device}.
std::unique_ptr<core::Backend> makeCudaBackend(int device);

}  // namespace gpu
