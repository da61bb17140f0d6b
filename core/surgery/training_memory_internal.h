// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/report.h"

#include <cstdint>

namespace core {

/// 4-byte elements that a training step keeps from forward to backward, and the most that backward
/// needs beside them.
struct Activations {
    double kept = 0;
    double transient = 0;
};

/// What an MLP is made of.
struct MlpShape {
    double hidden = 0;
    double inner = 0;
    bool gated = false;
    bool relu = false;  ///< keeps its result in the place of what it was made from, but for a gate
};

/// 4-byte elements of an activation.
double wordsOf(const StepSettings& settings);

/// Adds one block's need to that of the blocks before it. `row` is its result, which is kept in any
/// case and counted in `block` as well.
void addBlock(Activations& sum, const Activations& block, double row, const StepSettings& settings);

/// Of one MLP, dense or sparse, on `sequences` times `length` tokens.
Activations mlpActivations(const BlockSpec& block, const MlpShape& mlp, std::int64_t sequences,
                           std::int64_t length, const StepSettings& settings);

Activations vitActivations(const ModelSpec& spec, std::int64_t batch, const StepSettings& settings);
Activations t5Activations(const ModelSpec& spec, std::int64_t batch, const TextLengths& lengths,
                          const StepSettings& settings);

/// ModelCost::trainingBytes.
std::uint64_t plannedTrainingBytes(const ModelSpec& spec, std::int64_t batch);

}  // namespace core
