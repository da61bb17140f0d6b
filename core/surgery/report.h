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

/// Before and after numbers of the cost bar. FLOPs: 2 per multiply-add, forward, per token,
/// products only (linear layers, attention scores, experts times the experts a token uses on
/// average).
struct ModelCost {
    std::uint64_t parameters = 0;
    std::uint64_t activeParameters =
        0;  ///< per token: dense ones + experts used on average (C, or K) + routers
    double flopsPerToken = 0;
    std::uint64_t fileBytes = 0;  ///< bytes of tensor data in the file
    std::uint64_t trainingBytes =
        0;  ///< weights, gradients, AdamW moments, activations of a batch of `trainingBatch`
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
