// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/training/optimizer.h"

#include <memory>
#include <span>
#include <vector>

namespace core {

/// Zeroed f32 memory on the backend's device.
Tensor zeroState(Backend& backend, const Shape& shape);
/// Several in one piece (allocateTogether).
std::vector<Tensor> zeroStates(Backend& backend, std::span<const Shape> shapes);

std::unique_ptr<Optimizer> makeAdafactor(const OptimizerSpec& spec,
                                         const std::vector<Parameter>& parameters,
                                         std::shared_ptr<Backend> backend);

}  // namespace core
