// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint_writer.h"
#include "core/surgery/convert.h"

#include <atomic>
#include <functional>
#include <span>

namespace core {

enum class RecipeOrder {
    TogetherBySource,  ///< each source tensor is read once, in bounded pieces, and from a piece all
                       ///< the tensors that need it are made
    OneByOne           ///< each output is whole before the next is begun
};

/// Carries out recipes; what is random depends on (recipe key, element) alone. `writer` has the
/// recipes' outputs in their order. Throws Stopped when `cancel` becomes true.
ConvertResult executeRecipes(const Checkpoint& source, std::span<const TensorRecipe> recipes,
                             CheckpointWriter& writer, RecipeOrder order,
                             const std::function<void(const ConvertProgress&)>& progress,
                             const std::atomic<bool>& cancel);

}  // namespace core
