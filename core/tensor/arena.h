// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace core {

/// Uninitialised F32 tensors of these shapes, one after the other in one buffer
/// (Tensor::isFollowedBy).
std::vector<Tensor> allocateTogether(
    std::span<const Shape> shapes,
    const std::function<std::shared_ptr<Buffer>(std::size_t bytes)>& allocate);

/// The same elements as fewer tensors: those that follow one another in their order in memory are
/// one [n]. Undefined ones are left out.
std::vector<Tensor> joined(std::vector<Tensor> tensors);

}  // namespace core
