// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"
#include "core/tensor/workspace.h"

#include <optional>

namespace core {

/// What every layer works with in one pass. A layer's forward overwrites `y` and returns what
/// backward needs (`Saved`); its backward takes the output's gradient, adds to the parameters'
/// gradients and overwrites `dx`. `Saved` may be used once, and only when `training`.
struct Pass {
    Backend& backend;
    Workspace& workspace;  ///< saved tensors and intermediates
    Workspace& shown;      ///< what a forward's result shows until the next forward
    bool training = false;

    Tensor tensor(Shape shape) const { return workspace.allocate(std::move(shape)); }
};

/// Intermediate results of a forward: freed at the end of the C++ scope unless a backward will need
/// them.
class Intermediates {
  public:
    explicit Intermediates(const Pass& pass) {
        if (!pass.training) scope_.emplace(pass.workspace);
    }

  private:
    std::optional<Workspace::Scope> scope_;
};

}  // namespace core
