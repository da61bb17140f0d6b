// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// A tensor of the checkpoint that fills a contiguous part of a parameter.
struct ParameterPart {
    std::string tensor;  ///< name in the HF layout
    Shape shape;
};

/// Name, value, gradient: the unit of checkpoint, optimizer and inspection. The experts of a layer
/// are one parameter [E, out, in] whose parts are the E tensors of the file, one after the other.
struct Parameter {
    std::string name;  ///< the tensor's name; for experts with "{e}" in place of the number
    Shape shape;
    std::vector<ParameterPart> parts;  ///< in memory order; their elements add up to the shape's
    std::int64_t experts = 0;          ///< > 0: the first axis is the expert axis
    bool decay = true;  ///< weight decay applies (matrices; not biases, norms, cls, positions)
    float initialStd = 0.02F;  ///< of a random start (matrices, cls, positions)
    Tensor value;
    Tensor gradient;
};

}  // namespace core
