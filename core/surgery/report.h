// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/surgery/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// How one output tensor is made; compiled from headers alone.
struct TensorRecipe {
    enum class Source { Copy, Noise, Drop, Random, Router };
    TensorInfo output;  ///< name, dtype, shape
    Source source = Source::Copy;
    std::string input;      ///< source tensor; empty for Router and Random
    double amount = 0;      ///< sigma, ratio, or the std of Router and Random
    std::uint64_t key = 0;  ///< random stream: hash(plan.seed, output name)
    std::uint64_t neuronKey =
        0;                ///< Drop: stream of the expert's neuron set, shared by its tensors
    int neuronAxis = -1;  ///< the axis of the output that runs over intermediate neurons, or -1
};

/// Lengths that a T5's FLOPs are counted for: span corruption as T5 was trained (T5X: 512 input
/// tokens become 114 target tokens).
inline constexpr std::int64_t kT5InputTokens = 512;
inline constexpr std::int64_t kT5TargetTokens = 114;

/// Before and after numbers of the cost bar. FLOPs: 2 per multiply-add, forward, products only
/// (linear layers, attention scores, experts times the experts a token uses on average).
struct ModelCost {
    /// Elements of all floating tensors. Of a T5 without those that the file repeats (embed_tokens,
    /// a tied lm_head) and without what no program uses (the cross-attention's
    /// relative_attention_bias).
    std::uint64_t parameters = 0;
    std::uint64_t activeParameters = 0;  ///< per token: dense ones + experts used on average (C, or
                                         ///< K) + routers; of a T5 in both stacks together
    /// Of a T5: those of one example of kT5InputTokens and kT5TargetTokens over all its tokens, so
    /// that tokens times this is the cost of an example.
    double flopsPerToken = 0;
    /// Of a T5's encoder per input token, and of its decoder per target token, with the keys and
    /// values that cross-attention makes of the inputs and with the output matrix; else 0.
    double flopsPerEncoderToken = 0;
    double flopsPerDecoderToken = 0;
    std::uint64_t fileBytes = 0;  ///< bytes of tensor data in the file
    /// Weights, gradients, AdamW moments, activations of a batch of `trainingBatch`; 0 = unknown
    /// (families that this version does not train).
    std::uint64_t trainingBytes = 0;
};

struct PlanWarning {
    std::string block;  ///< empty: of the whole plan
    std::string text;
};

struct PlanReport {
    ModelSpec output;                   ///< the model that comes out
    std::vector<TensorRecipe> recipes;  ///< in output order
    ModelCost before;
    ModelCost after;
    std::int64_t trainingBatch = 32;
    std::vector<PlanWarning> warnings;
};

/// Pure, < 1 ms, needs no weights. BadInput (naming block and setting) for a plan that cannot work:
/// a missing or already sparse block, absurd experts, K > experts, NaN, Expert Choice in a causal
/// decoder, a config contradicting tensors.
PlanReport compilePlan(const ModelSpec& spec, std::span<const TensorInfo> tensors,
                       const SurgeryPlan& plan, std::int64_t trainingBatch = 32);

/// Cost of a model as it is (no plan): what `inspect` and the window show for an MoE checkpoint.
ModelCost modelCost(const ModelSpec& spec, std::span<const TensorInfo> tensors,
                    std::int64_t trainingBatch = 32);

/// Bytes a training job of `batch` examples a forward needs on the device: the figure that the
/// window shows and the trainer checks before it allocates. 4 bytes for each of: weights, gradients
/// and `optimizerMomentsPerWeight` moments; what the layers keep from forward to backward (a dense
/// block of n tokens: 8 n hidden + 2 n inner + n (heads + 4); a MoE block has 2 slots inner + slots
/// hidden + 2 n experts in place of 2 n inner); the largest need of one block's backward. Vision
/// Transformers only (0 for other families).
std::uint64_t trainingBytes(const ModelSpec& spec, std::int64_t batch,
                            int optimizerMomentsPerWeight);

}  // namespace core
