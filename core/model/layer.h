// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/memory.h"
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
    DType dtype = DType::F32;  ///< of activations: F32 or BF16

    /// Activations, or their gradient.
    Tensor tensor(Shape shape) const { return workspace.allocate(std::move(shape), dtype); }
    /// What is F32 whatever the activations are: statistics, losses, all of the router.
    Tensor f32(Shape shape) const { return workspace.allocate(std::move(shape)); }
    /// A forward that is run again, when its results have been shown.
    Pass shownInWorkspace() const { return {backend, workspace, workspace, training, dtype}; }
    /// x itself where it is F32, else a copy.
    Tensor inF32(const Tensor& x) const;
};

inline Tensor Pass::inF32(const Tensor& x) const {
    if (x.dtype() == DType::F32) return x;
    Tensor y = f32(x.shape());
    ops::copy(backend, y, x);
    return y;
}

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
