// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

/// The tables of an Assignment, a thread a token.
struct TokenTables {
    const std::int32_t* offsets;
    const std::int32_t* slots;
    const std::int32_t* slotExpert;
    const std::int32_t* asked;  ///< null unless the softmax is over the experts asked for
    std::int64_t tokens;
    std::int64_t experts;
    std::int64_t k;

    /// body(slot, expert)
    template <typename Body>
    __device__ void forAccepted(std::int64_t token, Body body) const {
        for (std::int32_t i = offsets[token]; i < offsets[token + 1]; ++i)
            body(slots[i], slotExpert[slots[i]]);
    }

    /// body(expert)
    template <typename Body>
    __device__ void forAsked(std::int64_t token, Body body) const {
        for (std::int64_t j = 0; j < k; ++j)
            if (asked[token * k + j] >= 0) body(asked[token * k + j]);
    }
};

TokenTables tablesOf(const core::Assignment& a, bool topKSoftmax) {
    return {data<std::int32_t>(a.tokenOffsets),
            data<std::int32_t>(a.tokenSlots),
            data<std::int32_t>(a.slotExpert),
            topKSoftmax ? data<std::int32_t>(a.askedExperts) : nullptr,
            a.tokens,
            a.experts,
            topKSoftmax ? a.askedExperts.size(1) : 0};
}

__global__ void weigh(float* weights, float* sums, const float* probabilities, TokenTables tables,
                      bool renormalize) {
    const std::int64_t t = threadElement();
    if (t >= tables.tokens) return;
    const float* p = probabilities + t * tables.experts;
    float total = 0.0F;
    if (renormalize)
        tables.forAccepted(t, [&](std::int32_t, std::int32_t e) { total += p[e]; });
    else
        tables.forAsked(t, [&](std::int32_t e) { total += p[e]; });
    const float denominator = total == 0.0F ? 1.0F : total;
    sums[t] = denominator;
    tables.forAccepted(t, [&](std::int32_t s, std::int32_t e) { weights[s] = p[e] / denominator; });
}

__global__ void weighBackward(float* dProbabilities, const float* dWeights, const float* weights,
                              const float* sums, TokenTables tables, bool renormalize) {
    const std::int64_t t = threadElement();
    if (t >= tables.tokens) return;
    float* dp = dProbabilities + t * tables.experts;
    const double inverse = 1.0 / static_cast<double>(sums[t]);
    float inner = 0.0F;
    tables.forAccepted(t, [&](std::int32_t s, std::int32_t) { inner += dWeights[s] * weights[s]; });
    const auto add = [&](std::int32_t e, float slope) {
        dp[e] += static_cast<float>(static_cast<double>(slope) * inverse);
    };
    tables.forAccepted(t, [&](std::int32_t s, std::int32_t e) {
        add(e, renormalize ? dWeights[s] - inner : dWeights[s]);
    });
    tables.forAsked(t, [&](std::int32_t e) { add(e, -inner); });
}

}  // namespace

void CudaBackend::combineWeightsForward(core::Out weights, core::Out sums,
                                        const core::Tensor& probabilities,
                                        const core::Assignment& assignment, bool topKSoftmax,
                                        bool renormalize) {
    if (assignment.tokens == 0) return;
    launch(stream(), weigh, blocksFor(assignment.tokens), dim3(kBlock), 0, data<float>(weights),
           data<float>(sums), data<float>(probabilities),
           tablesOf(assignment, topKSoftmax && !renormalize), renormalize);
}

void CudaBackend::combineWeightsBackward(core::InOut dProbabilities, const core::Tensor& dWeights,
                                         const core::Tensor& weights, const core::Tensor& sums,
                                         const core::Tensor& /*probabilities*/,
                                         const core::Assignment& assignment, bool topKSoftmax,
                                         bool renormalize) {
    if (assignment.tokens == 0) return;
    launch(stream(), weighBackward, blocksFor(assignment.tokens), dim3(kBlock), 0,
           data<float>(dProbabilities), data<float>(dWeights), data<float>(weights),
           data<float>(sums), tablesOf(assignment, topKSoftmax && !renormalize), renormalize);
}

}  // namespace gpu
