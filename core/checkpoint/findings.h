// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/tensor_stats.h"

#include <span>
#include <string>
#include <vector>

namespace core {

/// One sentence on what deserves a look.
struct Finding {
    enum class Kind {
        Note,       ///< the reader's
        Stray,      ///< a tensor that no model reads
        NotFinite,  ///< NaN or infinite values
        Equal       ///< tied weights, tensors that are stored more than once
    } kind = Kind::Note;
    std::string text;
};

/// The reader's notes, stray tensors and, with the statistics of all tensors in their order, values
/// that are not finite and equal tensors. `stats` empty: by names alone.
std::vector<Finding> findingsOf(const Checkpoint& checkpoint, std::span<const TensorStats> stats);

}  // namespace core
