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

/// Lengths that a T5's FLOPs and training memory are counted for: span corruption as T5 was trained
/// (T5X: 512 input tokens become 114 target tokens).
inline constexpr std::int64_t kT5InputTokens = 512;
inline constexpr std::int64_t kT5TargetTokens = 114;

/// Tokens of one example of an encoder-decoder, padding among them.
struct TextLengths {
    std::int64_t inputs = kT5InputTokens;
    std::int64_t targets = kT5TargetTokens;
};

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
    /// Weights, gradients, the optimizer's state (ViT: AdamW's two moments; T5: Adafactor's sums of
    /// rows and columns, a moment where a tensor is too small for them), activations of a batch of
    /// `trainingBatch` (T5: of kT5InputTokens and kT5TargetTokens each); 0 = unknown (models that
    /// this version does not train).
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

/// How a training step computes.
struct StepSettings {
    DType dtype = DType::F32;  ///< of activations and products: F32 or BF16
    bool recompute = false;    ///< only each block's input is kept from forward to backward
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
/// trainer checks before it allocates. 4 bytes for each of: weights, gradients and
/// `optimizerMomentsPerWeight` moments; what the layers keep from forward to backward; the largest
/// need of one block's backward. Of a ViT: a dense block of n tokens keeps 8 n hidden + 2 n inner +
/// n (heads + 4); a MoE block has 2 slots inner + slots hidden + 2 n experts in place of 2 n inner.
/// Of a T5 with n tokens in a stack and a = num_heads d_kv: a dense block keeps 4 n d_model + 2 n
/// d_ff (gated 3 n d_ff) + 4 n a, in the decoder 2 n d_model + 2 (n + inputs) a besides; the logits
/// and their gradient count once each; `lengths` alone says how long the examples are. In bf16
/// activations take 2 bytes (statistics and the router 4), and the matrices have a copy of 2 bytes
/// an element. Recomputing keeps one row of each token and block, and the whole of one block at a
/// time. 0 for models that this version does not train (other families, an encoder alone).
std::uint64_t trainingBytes(const ModelSpec& spec, std::int64_t batch,
                            int optimizerMomentsPerWeight, const TextLengths& lengths = {},
                            const StepSettings& settings = {});

/// What of it is for activations.
std::uint64_t activationBytes(const ModelSpec& spec, std::int64_t batch, const TextLengths& lengths,
                              const StepSettings& settings);

}  // namespace core
