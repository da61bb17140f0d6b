// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"

#include "core/ops/check_internal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core::ops {
namespace {

void requireGroups(const char* op, const RoutingGroups& groups, std::int64_t tokens) {
    const std::vector<std::int64_t>& begins = groups.begins;
    bool right = !begins.empty() && begins.front() == 0 && begins.back() == tokens;
    for (std::size_t g = 1; right && g < begins.size(); ++g) right = begins[g - 1] <= begins[g];
    require(op, right, "the routing groups do not divide " + std::to_string(tokens) + " tokens");
    require(op, tokens < std::numeric_limits<std::int32_t>::max(), "too many tokens");
    requireTensorOrNone(op, "mask", groups.mask, DType::U8, {tokens});
    require(op, groups.realTokens.empty() || groups.realTokens.size() + 1 == begins.size(),
            "the real tokens are not those of the groups");
}

void requireCombine(const char* op, const Tensor& weights, const Tensor& sums,
                    const Tensor& probabilities, const Assignment& a, bool topKSoftmax) {
    requireTensor(op, "probabilities", probabilities, DType::F32, {a.tokens, a.experts});
    requireTensor(op, "weights", weights, DType::F32, {a.slots()});
    requireTensor(op, "sums", sums, DType::F32, {a.tokens});
    requireTensor(op, "tokenOffsets", a.tokenOffsets, DType::I32, {a.tokens + 1});
    if (topKSoftmax) requireTensor(op, "askedExperts", a.askedExperts, DType::I32, {a.tokens, "k"});
}

}  // namespace

std::int64_t expertCapacity(double capacityFactor, std::int64_t tokens, std::int64_t experts) {
    const auto n = static_cast<double>(tokens);
    const double wanted = std::ceil(capacityFactor * n / static_cast<double>(experts) - 1e-9);
    const double atLeastOne = wanted > 1.0 ? wanted : 1.0;
    return atLeastOne >= n ? tokens : static_cast<std::int64_t>(atLeastOne);
}

std::int64_t topKCapacity(const TopKRule& rule, std::int64_t tokens, std::int64_t experts) {
    if (rule.fixedSlots > 0) return std::min(rule.fixedSlots, tokens);
    return rule.dropless ? tokens : expertCapacity(rule.capacity, tokens, experts);
}

std::int64_t foreignCapacity(CapacityRule rule, double capacityFactor, std::int64_t tokens,
                             std::int64_t experts, int k) {
    const double perExpert =
        capacityFactor * static_cast<double>(tokens) / static_cast<double>(experts);
    const auto withK = static_cast<std::int64_t>(std::ceil(perExpert * k - 1e-9));
    switch (rule) {
        case CapacityRule::Vmoe:
            return (withK + 3) / 4 * 4;
        case CapacityRule::Flaxformer:
            return std::max<std::int64_t>(4, std::llrint(perExpert));
        case CapacityRule::Megatron:
            break;
    }
    return withK;
}

Assignment expertChoice(Backend& backend, const Tensor& probabilities, const RoutingGroups& groups,
                        double capacityFactor) {
    constexpr const char* kOp = "expertChoice";
    requireTensor(kOp, "probabilities", probabilities, DType::F32, {"n", "E"});
    require(kOp, probabilities.size(1) >= 1, "there is no expert");
    require(kOp, capacityFactor > 0.0, "the capacity factor is not positive");
    requireGroups(kOp, groups, probabilities.size(0));
    return backend.expertChoice(probabilities, groups, capacityFactor);
}

Assignment topK(Backend& backend, const Tensor& scores, const RoutingGroups& groups,
                const TopKRule& rule) {
    constexpr const char* kOp = "topK";
    requireTensor(kOp, "scores", scores, DType::F32, {"n", "E"});
    require(kOp, rule.k >= 1 && rule.k <= scores.size(1),
            "k is not within 1 and the number of experts");
    require(kOp, rule.dropless || rule.fixedSlots > 0 || rule.capacity > 0.0,
            "the capacity factor is not positive");
    requireGroups(kOp, groups, scores.size(0));
    return backend.topK(scores, groups, rule);
}

void combineWeightsForward(Backend& backend, Out weights, Out sums, const Tensor& probabilities,
                           const Assignment& assignment, bool topKSoftmax, bool renormalize) {
    requireCombine("combineWeightsForward", weights, sums, probabilities, assignment, topKSoftmax);
    backend.combineWeightsForward(weights, sums, probabilities, assignment, topKSoftmax,
                                  renormalize);
}

void combineWeightsBackward(Backend& backend, InOut dProbabilities, const Tensor& dWeights,
                            const Tensor& weights, const Tensor& sums, const Tensor& probabilities,
                            const Assignment& assignment, bool topKSoftmax, bool renormalize) {
    constexpr const char* kOp = "combineWeightsBackward";
    requireCombine(kOp, weights, sums, probabilities, assignment, topKSoftmax);
    requireLike(kOp, "dWeights", dWeights, weights);
    requireLike(kOp, "dProbabilities", dProbabilities, probabilities);
    backend.combineWeightsBackward(dProbabilities, dWeights, weights, sums, probabilities,
                                   assignment, topKSoftmax, renormalize);
}

void balanceLossForward(Backend& backend, Out loss, const Tensor& probabilities,
                        const RoutingGroups& groups, const Assignment& assignment) {
    constexpr const char* kOp = "balanceLossForward";
    requireTensor(kOp, "loss", loss, DType::F64, {1});
    requireTensor(kOp, "probabilities", probabilities, DType::F32,
                  {assignment.tokens, assignment.experts});
    requireGroups(kOp, groups, assignment.tokens);
    requireTensor(kOp, "groupRequested", assignment.groupRequested, DType::F32,
                  {static_cast<std::int64_t>(groups.begins.size()) - 1, assignment.experts});
    backend.balanceLossForward(loss, probabilities, groups, assignment);
}

void balanceLossBackward(Backend& backend, InOut dProbabilities, const RoutingGroups& groups,
                         const Assignment& assignment, float dLoss) {
    constexpr const char* kOp = "balanceLossBackward";
    requireTensor(kOp, "dProbabilities", dProbabilities, DType::F32,
                  {assignment.tokens, assignment.experts});
    requireGroups(kOp, groups, assignment.tokens);
    requireTensor(kOp, "groupRequested", assignment.groupRequested, DType::F32,
                  {static_cast<std::int64_t>(groups.begins.size()) - 1, assignment.experts});
    backend.balanceLossBackward(dProbabilities, groups, assignment, dLoss);
}

void zLossForward(Backend& backend, Out loss, const Tensor& logits, const Tensor& mask) {
    requireTensor("zLossForward", "loss", loss, DType::F64, {1});
    requireTensor("zLossForward", "logits", logits, DType::F32, {"n", "E"});
    require("zLossForward", logits.size(1) >= 1, "there is no expert");
    requireTensorOrNone("zLossForward", "mask", mask, DType::U8, {logits.size(0)});
    backend.zLossForward(loss, logits, mask);
}

void zLossBackward(Backend& backend, InOut dLogits, const Tensor& logits, const Tensor& mask,
                   float dLoss) {
    requireTensor("zLossBackward", "logits", logits, DType::F32, {"n", "E"});
    require("zLossBackward", logits.size(1) >= 1, "there is no expert");
    requireTensorOrNone("zLossBackward", "mask", mask, DType::U8, {logits.size(0)});
    requireLike("zLossBackward", "dLogits", dLogits, logits);
    backend.zLossBackward(dLogits, logits, mask, dLoss);
}

}  // namespace core::ops
