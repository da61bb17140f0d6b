// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// min(n, max(1, ceil(capacityFactor * n / experts - 1e-9))) in double: slots per expert in a group
/// of n real tokens.
std::int64_t expertCapacity(double capacityFactor, std::int64_t tokens, std::int64_t experts);

/// Whose formula for the slots per expert: plans that come from or go to another tool are converted
/// with it.
enum class CapacityRule { Vmoe, Flaxformer, Megatron };

/// V-MoE: ceil(C * n * k / E) rounded up to a multiple of 4 (k = 1 for Expert Choice); Flaxformer:
/// max(4, round(C * n / E)), halves to even; Megatron: ceil(C * n * k / E).
std::int64_t foreignCapacity(CapacityRule rule, double capacityFactor, std::int64_t tokens,
                             std::int64_t experts, int k);

/// Expert Choice (Zhou et al. 2022): in every group, expert e takes the `expertCapacity` real
/// tokens with the largest probabilities[:, e] (F32 [n, E]); ties go to the lower token row.
/// Padding rows are never taken.
Assignment expertChoice(Backend& backend, const Tensor& probabilities, const RoutingGroups& groups,
                        double capacityFactor);

/// Top-K: each real token asks its k largest scores (F32 [n, E], ties to the lower expert). They
/// are placed in the order that the rule says; an expert over capacity in its group drops the
/// assignment.
Assignment topK(Backend& backend, const Tensor& scores, const RoutingGroups& groups,
                const TopKRule& rule);

/// Combine weight of each slot: weights [slots] = probabilities[token, expert]; topKSoftmax:
/// instead the softmax over the token's *asked-for* K logits, given through `probabilities` = full
/// softmax (p_e / sum of p over the K asked for, see Assignment::askedExperts). renormalize:
/// divided by the token's sum over its accepted experts; sums [n] saved (the denominator, 1 where
/// none).
void combineWeightsForward(Backend& backend, Out weights, Out sums, const Tensor& probabilities,
                           const Assignment& assignment, bool topKSoftmax, bool renormalize);

/// dProbabilities [n, E] accumulated from dWeights [slots]; the gradient flows through the sum.
void combineWeightsBackward(Backend& backend, InOut dProbabilities, const Tensor& dWeights,
                            const Tensor& weights, const Tensor& sums, const Tensor& probabilities,
                            const Assignment& assignment, bool topKSoftmax, bool renormalize);

/// loss (F64 [1]) = aux loss of Top-K: mean over groups of E * sum_e f_e P_e, f_e = share of the
/// assignments asked for (before drops), P_e = mean probability over the group's real tokens; 1
/// when even. f has no gradient.
void balanceLossForward(Backend& backend, Out loss, const Tensor& probabilities,
                        const RoutingGroups& groups, const Assignment& assignment);
void balanceLossBackward(Backend& backend, InOut dProbabilities, const RoutingGroups& groups,
                         const Assignment& assignment, float dLoss);

/// loss (F64 [1]) = mean over real tokens of logsumexp(logits)^2 (ST-MoE); mask as in
/// RoutingGroups.
void zLossForward(Backend& backend, Out loss, const Tensor& logits, const Tensor& mask);
void zLossBackward(Backend& backend, InOut dLogits, const Tensor& logits, const Tensor& mask,
                   float dLoss);

}  // namespace core::ops
