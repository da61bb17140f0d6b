// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {
namespace {

constexpr std::int64_t kTokenGrain = 1024;

/// One token's view of the tables.
struct TokenTables {
    const std::int32_t* offsets;
    const std::int32_t* slots;
    const std::int32_t* slotExpert;
    const std::int32_t* asked;  ///< null unless the softmax is over the experts asked for
    std::int64_t experts;
    std::int64_t k;

    TokenTables(const Assignment& a, bool topKSoftmax)
        : offsets(a.tokenOffsets.data<std::int32_t>()),
          slots(a.tokenSlots.data<std::int32_t>()),
          slotExpert(a.slotExpert.data<std::int32_t>()),
          asked(topKSoftmax ? a.askedExperts.data<std::int32_t>() : nullptr),
          experts(a.experts),
          k(topKSoftmax ? a.askedExperts.size(1) : 0) {}

    template <typename F>
    void forAccepted(std::int64_t token, F body) const {
        for (std::int32_t i = offsets[token]; i < offsets[token + 1]; ++i)
            body(slots[i], slotExpert[slots[i]]);
    }

    template <typename F>
    void forAsked(std::int64_t token, F body) const {
        for (std::int64_t j = 0; j < k; ++j)
            if (asked[token * k + j] >= 0) body(asked[token * k + j]);
    }
};

}  // namespace

void CpuBackend::combineWeightsForward(Out weights, Out sums, const Tensor& probabilities,
                                       const Assignment& assignment, bool topKSoftmax,
                                       bool renormalize) {
    start();
    const TokenTables tables(assignment, topKSoftmax && !renormalize);
    float* into = weights.data<float>();
    float* denominators = sums.data<float>();
    const float* from = probabilities.data<float>();
    parallelFor(assignment.tokens, kTokenGrain, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t t = begin; t < end; ++t) {
            const float* p = from + t * tables.experts;
            float total = 0.0F;
            if (renormalize)
                tables.forAccepted(t, [&](std::int32_t, std::int32_t e) { total += p[e]; });
            else
                tables.forAsked(t, [&](std::int32_t e) { total += p[e]; });
            denominators[t] = total == 0.0F ? 1.0F : total;
            tables.forAccepted(
                t, [&](std::int32_t s, std::int32_t e) { into[s] = p[e] / denominators[t]; });
        }
    });
}

void CpuBackend::combineWeightsBackward(InOut dProbabilities, const Tensor& dWeights,
                                        const Tensor& weights, const Tensor& sums,
                                        const Tensor& /*probabilities*/,
                                        const Assignment& assignment, bool topKSoftmax,
                                        bool renormalize) {
    start();
    const TokenTables tables(assignment, topKSoftmax && !renormalize);
    float* into = dProbabilities.data<float>();
    const float* slopes = dWeights.data<float>();
    const float* weight = weights.data<float>();
    const float* denominators = sums.data<float>();
    parallelFor(assignment.tokens, kTokenGrain, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t t = begin; t < end; ++t) {
            float* dp = into + t * tables.experts;
            const double inverse = 1.0 / static_cast<double>(denominators[t]);
            float inner = 0.0F;
            tables.forAccepted(
                t, [&](std::int32_t s, std::int32_t) { inner += slopes[s] * weight[s]; });
            const auto add = [&](std::int32_t e, float slope) {
                dp[e] += static_cast<float>(static_cast<double>(slope) * inverse);
            };
            tables.forAccepted(t, [&](std::int32_t s, std::int32_t e) {
                add(e, renormalize ? slopes[s] - inner : slopes[s]);
            });
            tables.forAsked(t, [&](std::int32_t e) { add(e, -inner); });
        }
    });
}

}  // namespace core::cpu
