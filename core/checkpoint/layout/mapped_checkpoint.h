// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/layout/tensor_map.h"

#include <memory>
#include <string>
#include <vector>

namespace core {

/// What a layout makes of a checkpoint's tensors.
struct LayoutMapping {
    std::string layout;  ///< its word (layout.h)
    std::vector<TensorMap> tensors;
    std::string config;  ///< of Checkpoint::layoutConfig
    std::vector<std::string> notes;
};

/// A tensor that keeps name, shape and axes.
TensorMap unmapped(const TensorInfo& stored);

/// `raw` under the names, shapes and axes of `mapping`. Tensors whose elements lie as they are
/// stored are read straight through. One whose axes are permuted is gathered whole when it is first
/// touched, from bounded pieces, and kept until another one is: memory is one tensor, however small
/// the pieces that are asked for.
std::shared_ptr<const Checkpoint> mapCheckpoint(std::shared_ptr<const Checkpoint> raw,
                                                LayoutMapping mapping);

}  // namespace core
