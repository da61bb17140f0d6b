// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace core {

/// How the experts of one MoE block point, each taken as one vector of all its weights and biases.
/// A cosine with a vector of zeros, or with one that is not finite, is NaN.
struct ExpertCosines {
    enum class Reference {
        None,     ///< the other checkpoint has no MLP of these shapes in this block
        Dense,    ///< its dense MLP
        SameMoe,  ///< its expert of the same number
    };
    std::string block;                          ///< "encoder.3"
    std::vector<std::vector<double>> pairwise;  ///< [E][E], of the experts with each other
    Reference reference = Reference::None;
    std::vector<double> toReference;  ///< [E]; empty without a reference
};

/// Where one expert's tensors lie in B, and what they are compared with in A.
struct ExpertBlock {
    struct Piece {
        std::vector<const TensorInfo*> experts;  ///< [E], of one shape
        std::vector<const TensorInfo*> before;   ///< of that shape in A: one (dense), E, or none
    };
    std::string block;
    std::vector<Piece> pieces;  ///< every weight and bias of an expert
    std::uint64_t bytes = 0;    ///< of all these tensors
};

/// The MoE blocks of `b` by the names that experts have in any family ("...expert_3.wo.weight",
/// "...experts.3.w1.weight"), in file order.
std::vector<ExpertBlock> findExpertBlocks(const Checkpoint& a, const Checkpoint& b);

/// Called with the bytes that were read since the last call.
using CosineProgress = std::function<void(std::uint64_t bytes)>;

/// Reads each tensor once, in pieces of all experts at once: memory is some 16 MiB and E^2 numbers.
/// `cancel` -> Stopped.
ExpertCosines cosinesOf(const Checkpoint& a, const Checkpoint& b, const ExpertBlock& block,
                        const std::atomic<bool>& cancel, const CosineProgress& progress = {});

}  // namespace core
