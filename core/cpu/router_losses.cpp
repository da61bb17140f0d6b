// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>
#include <numeric>

namespace core::cpu {
namespace {

/// Rows whose losses are added up in one go: totals of blocks are added in order.
constexpr std::int64_t kBlock = 4096;

const std::uint8_t* maskOf(const Tensor& mask) {
    return mask.defined() ? mask.data<std::uint8_t>() : nullptr;
}

bool isReal(const std::uint8_t* mask, std::int64_t token) {
    return mask == nullptr || mask[token] != 0;
}

std::int64_t realTokens(const std::uint8_t* mask, std::int64_t tokens) {
    return mask == nullptr ? tokens : tokens - std::count(mask, mask + tokens, std::uint8_t{0});
}

/// For every group with tokens: experts * f_e / (tokens of the group * number of such groups), the
/// derivative of the loss by each real token's probabilities; the loss is their product. [groups *
/// experts]
std::vector<double> balanceSlopes(const Assignment& a) {
    const float* requested = a.groupRequested.data<float>();
    const auto experts = static_cast<std::size_t>(a.experts);
    const auto groups = static_cast<double>(std::count_if(
        a.groupTokens.begin(), a.groupTokens.end(), [](std::int64_t n) { return n > 0; }));
    std::vector<double> slopes(a.groupTokens.size() * experts, 0.0);
    for (std::size_t g = 0; g < a.groupTokens.size(); ++g) {
        if (a.groupTokens[g] == 0) continue;
        const float* row = requested + g * experts;
        const double asked = std::accumulate(row, row + experts, 0.0);
        for (std::size_t e = 0; e < experts; ++e)
            slopes[g * experts + e] = static_cast<double>(experts) * static_cast<double>(row[e]) /
                                      asked / (static_cast<double>(a.groupTokens[g]) * groups);
    }
    return slopes;
}

}  // namespace

void CpuBackend::balanceLossForward(Out loss, const Tensor& probabilities,
                                    const RoutingGroups& groups, const Assignment& assignment) {
    start();
    const std::vector<double> slopes = balanceSlopes(assignment);
    const std::uint8_t* mask = maskOf(groups.mask);
    const float* p = probabilities.data<float>();
    const std::int64_t experts = assignment.experts;
    double total = 0.0;
    for (std::size_t g = 0; g + 1 < groups.begins.size(); ++g) {
        const double* slope = slopes.data() + g * static_cast<std::size_t>(experts);
        for (std::int64_t t = groups.begins[g]; t < groups.begins[g + 1]; ++t)
            for (std::int64_t e = 0; isReal(mask, t) && e < experts; ++e)
                total += slope[e] * static_cast<double>(p[t * experts + e]);
    }
    *loss.data<double>() = total;
}

void CpuBackend::balanceLossBackward(InOut dProbabilities, const RoutingGroups& groups,
                                     const Assignment& assignment, float dLoss) {
    start();
    const std::vector<double> slopes = balanceSlopes(assignment);
    const std::uint8_t* mask = maskOf(groups.mask);
    float* dp = dProbabilities.data<float>();
    const std::int64_t experts = assignment.experts;
    for (std::size_t g = 0; g + 1 < groups.begins.size(); ++g) {
        const double* slope = slopes.data() + g * static_cast<std::size_t>(experts);
        for (std::int64_t t = groups.begins[g]; t < groups.begins[g + 1]; ++t)
            for (std::int64_t e = 0; isReal(mask, t) && e < experts; ++e)
                dp[t * experts + e] += static_cast<float>(slope[e] * static_cast<double>(dLoss));
    }
}

void CpuBackend::zLossForward(Out loss, const Tensor& logits, const Tensor& mask) {
    const Kernels& k = start();
    const std::uint8_t* real = maskOf(mask);
    const std::int64_t tokens = logits.size(0);
    const std::int64_t experts = logits.size(1);
    const std::int64_t count = realTokens(real, tokens);
    *loss.data<double>() = 0.0;
    if (count == 0) return;
    const std::int64_t blocks = (tokens + kBlock - 1) / kBlock;
    std::vector<double> totals(static_cast<std::size_t>(blocks), 0.0);
    parallelFor(blocks, 1, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t t = begin * kBlock; t < std::min(end * kBlock, tokens); ++t) {
            if (!isReal(real, t)) continue;
            const auto value =
                static_cast<double>(k.f32.logSumExp(logits.data<float>() + t * experts, experts));
            totals[static_cast<std::size_t>(t / kBlock)] += value * value;
        }
    });
    *loss.data<double>() =
        std::accumulate(totals.begin(), totals.end(), 0.0) / static_cast<double>(count);
}

void CpuBackend::zLossBackward(InOut dLogits, const Tensor& logits, const Tensor& mask,
                               float dLoss) {
    const Kernels& k = start();
    const std::uint8_t* real = maskOf(mask);
    const std::int64_t experts = logits.size(1);
    const std::int64_t count = realTokens(real, logits.size(0));
    parallelFor(logits.size(0), rowGrain(16 * experts),
                [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t t = begin; t < end; ++t) {
                        if (!isReal(real, t)) continue;
                        const float* row = logits.data<float>() + t * experts;
                        const float value = k.f32.logSumExp(row, experts);
                        k.expInto(dLogits.data<float>() + t * experts, row, value,
                                  dLoss * 2.0F * value / static_cast<float>(count), true, experts);
                    }
                });
}

}  // namespace core::cpu
