// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/packs.h"
#include "gpu/routing_tables.h"
#include "gpu/scratch_layout.h"

#include <algorithm>
#include <array>

namespace gpu {
namespace {

/// Blocks whose totals are added up at the end.
constexpr std::int64_t kMostParts = 512;
constexpr std::size_t kSumShared = kMostWarps * sizeof(double);

/// slopes [groups, experts] = experts * f_e / (tokens of the group * groups with tokens), the
/// derivative of the loss by each real token's probabilities; the loss is their product. A warp a
/// group.
__global__ void balanceSlopes(double* slopes, const float* requested, const std::int64_t* tokens,
                              std::int64_t groups, std::int64_t experts, double filledGroups) {
    const std::int64_t g = warpRow();
    if (g >= groups) return;
    const float* row = requested + g * experts;
    double asked = 0.0;
    forLanePacks<1>(experts, [&](std::int64_t e) { asked += static_cast<double>(row[e]); });
    asked = warpSum(asked);
    const double rows = static_cast<double>(tokens[g]);
    forLanePacks<1>(experts, [&](std::int64_t e) {
        slopes[g * experts + e] = tokens[g] == 0
                                      ? 0.0
                                      : static_cast<double>(experts) * static_cast<double>(row[e]) /
                                            asked / (rows * filledGroups);
    });
}

__global__ void balanceParts(double* parts, const float* probabilities, const double* slopes,
                             Groups groups, std::int64_t tokens, std::int64_t experts) {
    double total = 0.0;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = threadElement(); i < tokens * experts; i += step) {
        const std::int64_t t = i / experts;
        if (groups.isReal(t))
            total += slopes[groups.of(t) * experts + i % experts] *
                     static_cast<double>(probabilities[i]);
    }
    total = blockSum(total, blockShared<double>());
    if (threadIdx.x == 0) parts[blockIdx.x] = total;
}

__global__ void addBalanceSlopes(float* dProbabilities, const double* slopes, Groups groups,
                                 std::int64_t tokens, std::int64_t experts, float dLoss) {
    const std::int64_t i = threadElement();
    if (i >= tokens * experts) return;
    const std::int64_t t = i / experts;
    if (groups.isReal(t))
        dProbabilities[i] += static_cast<float>(slopes[groups.of(t) * experts + i % experts] *
                                                static_cast<double>(dLoss));
}

/// The log of the sum of the exponentials of a row, by a warp; infinite where the largest is.
__device__ float rowLogSumExp(const float* x, std::int64_t columns) {
    float most = -INFINITY;
    forLanePacks<1>(columns, [&](std::int64_t c) { most = fmaxf(most, x[c]); });
    most = warpMax(most);
    float total = 0.0F;
    forLanePacks<1>(columns, [&](std::int64_t c) { total += expf(x[c] - most); });
    total = warpSum(total);
    return fabsf(most) == INFINITY ? most : most + logf(total);
}

/// Of each block: the sum of logsumexp^2 over its real tokens, a warp a token in turn.
__global__ void zParts(double* parts, const float* logits, const std::uint8_t* mask,
                       std::int64_t tokens, std::int64_t experts) {
    double total = 0.0;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * warpsOfBlock();
    for (std::int64_t t = warpRow(); t < tokens; t += step) {
        if (mask != nullptr && mask[t] == 0) continue;
        const auto value = static_cast<double>(rowLogSumExp(logits + t * experts, experts));
        if (laneRank() == 0) total += value * value;
    }
    total = blockSum(total, blockShared<double>());
    if (threadIdx.x == 0) parts[blockIdx.x] = total;
}

/// total[0] = the sum of the parts, or their mean over counted[0] (0 where that is 0), by one block.
__global__ void addParts(double* total, const double* parts, std::int64_t count,
                         const unsigned long long* counted) {
    double sum = 0.0;
    for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += parts[i];
    sum = blockSum(sum, blockShared<double>());
    if (threadIdx.x != 0) return;
    if (counted != nullptr) sum = counted[0] == 0 ? 0.0 : sum / static_cast<double>(counted[0]);
    total[0] = sum;
}

__global__ void addZSlopes(float* dLogits, const float* logits, const std::uint8_t* mask,
                           const unsigned long long* count, std::int64_t tokens,
                           std::int64_t experts, float dLoss) {
    const std::int64_t t = warpRow();
    if (t >= tokens || (mask != nullptr && mask[t] == 0)) return;
    const float* x = logits + t * experts;
    const float value = rowLogSumExp(x, experts);
    const float factor = dLoss * 2.0F * value / static_cast<float>(count[0]);
    forLanePacks<1>(
        experts, [&](std::int64_t e) { dLogits[t * experts + e] += expf(x[e] - value) * factor; });
}

std::int64_t partsFor(std::int64_t threads) {
    return std::clamp<std::int64_t>(divideUp(threads, kBlock), 1, kMostParts);
}

/// For every group with tokens: its slopes, at the beginning of the scratch memory.
void findSlopes(cudaStream_t stream, double* slopes, const core::Assignment& a,
                const std::int64_t* groupTokens) {
    const auto filled = std::count_if(a.groupTokens.begin(), a.groupTokens.end(),
                                      [](std::int64_t n) { return n > 0; });
    const auto groups = static_cast<std::int64_t>(a.groupTokens.size());
    launch(stream, balanceSlopes, warpsFor(groups), dim3(kBlock), 0, slopes,
           data<float>(a.groupRequested), groupTokens, groups, a.experts,
           static_cast<double>(filled));
}

}  // namespace

void CudaBackend::balanceLossForward(Out loss, const Tensor& probabilities,
                                     const RoutingGroups& groups, const Assignment& assignment) {
    const std::int64_t elements = probabilities.elements();
    if (elements == 0)
        return check(cudaMemsetAsync(data<double>(loss), 0, sizeof(double), stream()),
                     "clearing a loss");
    const auto count = static_cast<std::int64_t>(groups.begins.size()) - 1;
    const std::int64_t parts = partsFor(elements);
    ScratchLayout layout;
    const std::size_t slopesAt = layout.place<double>(count * assignment.experts);
    const std::size_t partsAt = layout.place<double>(parts);
    void* memory = scratch(layout.bytes());
    auto* slopes = layoutPiece<double>(memory, slopesAt);
    auto* sums = layoutPiece<double>(memory, partsAt);
    findSlopes(stream(), slopes, assignment,
               stage(std::span<const std::int64_t>(assignment.groupTokens)));
    const Groups rows{stage(std::span<const std::int64_t>(groups.begins)),
                      dataOrNull<std::uint8_t>(groups.mask), count};
    launch(stream(), balanceParts, dim3(static_cast<unsigned>(parts)), dim3(kBlock), kSumShared,
           sums, data<float>(probabilities), slopes, rows, assignment.tokens, assignment.experts);
    launch(stream(), addParts, dim3(1), dim3(kBlock), kSumShared, data<double>(loss), sums, parts,
           nullptr);
}

void CudaBackend::balanceLossBackward(InOut dProbabilities, const RoutingGroups& groups,
                                      const Assignment& assignment, float dLoss) {
    const auto count = static_cast<std::int64_t>(groups.begins.size()) - 1;
    auto* slopes = scratchOf<double>(static_cast<std::size_t>(count * assignment.experts));
    findSlopes(stream(), slopes, assignment,
               stage(std::span<const std::int64_t>(assignment.groupTokens)));
    const Groups rows{stage(std::span<const std::int64_t>(groups.begins)),
                      dataOrNull<std::uint8_t>(groups.mask), count};
    launch(stream(), addBalanceSlopes, blocksFor(dProbabilities.elements()), dim3(kBlock), 0,
           data<float>(dProbabilities), slopes, rows, assignment.tokens, assignment.experts, dLoss);
}

void CudaBackend::zLossForward(Out loss, const Tensor& logits, const Tensor& mask) {
    const std::int64_t tokens = logits.size(0);
    if (tokens == 0)
        return check(cudaMemsetAsync(data<double>(loss), 0, sizeof(double), stream()),
                     "clearing a loss");
    const std::int64_t parts = partsFor(tokens * kWarp);
    ScratchLayout layout;
    const std::size_t countAt = layout.place<unsigned long long>(1);
    const std::size_t partsAt = layout.place<double>(parts);
    void* memory = scratch(layout.bytes());
    auto* count = layoutPiece<unsigned long long>(memory, countAt);
    auto* sums = layoutPiece<double>(memory, partsAt);
    const std::array<std::int64_t, 2> all{0, tokens};
    const Groups rows{stageConstant(std::span<const std::int64_t>(all)),
                      dataOrNull<std::uint8_t>(mask), 1};
    countRealTokens(stream(), count, rows, tokens);
    launch(stream(), zParts, dim3(static_cast<unsigned>(parts)), dim3(kBlock), kSumShared, sums,
           data<float>(logits), rows.mask, tokens, logits.size(1));
    launch(stream(), addParts, dim3(1), dim3(kBlock), kSumShared, data<double>(loss), sums, parts,
           count);
}

void CudaBackend::zLossBackward(InOut dLogits, const Tensor& logits, const Tensor& mask,
                                float dLoss) {
    const std::int64_t tokens = logits.size(0);
    if (tokens == 0) return;
    auto* count = scratchOf<unsigned long long>(1);
    const std::array<std::int64_t, 2> all{0, tokens};
    const Groups rows{stageConstant(std::span<const std::int64_t>(all)),
                      dataOrNull<std::uint8_t>(mask), 1};
    countRealTokens(stream(), count, rows, tokens);
    launch(stream(), addZSlopes, warpsFor(tokens), dim3(kBlock), 0, data<float>(dLogits),
           data<float>(logits), rows.mask, count, tokens, logits.size(1), dLoss);
}

}  // namespace gpu
