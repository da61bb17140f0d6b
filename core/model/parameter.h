// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error.h"
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
    Tensor value;              ///< F32
    Tensor gradient;           ///< F32
    Tensor bf16;  ///< a copy of `value` for products in bf16; undefined where there are none

    /// What a product with activations of this type reads.
    const Tensor& in(DType dtype) const {
        CORE_CHECK(dtype == DType::F32 || bf16.defined(), "a copy in bf16 of " + name);
        return dtype == DType::F32 ? value : bf16;
    }
};

}  // namespace core
