// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"

#include <initializer_list>
#include <string_view>

namespace core::ops {

/// One expected size: a number, or a name for a size that may be anything.
struct Dim {
    Dim(std::int64_t size) : value(size) {}                 // NOLINT(google-explicit-constructor)
    Dim(const char* anyName) : value(-1), name(anyName) {}  // NOLINT(google-explicit-constructor)
    std::int64_t value;
    const char* name = nullptr;
};

/// Throws CheckFailure "[op] what is F32 [3, 4], expected F32 [out, 5]".
void requireTensor(const char* op, const char* what, const Tensor& tensor, DType dtype,
                   std::initializer_list<Dim> sizes);

/// As above, or undefined.
void requireTensorOrNone(const char* op, const char* what, const Tensor& tensor, DType dtype,
                         std::initializer_list<Dim> sizes);

/// A tensor of activations, which decides in what type the op computes: F32 or BF16, of this shape.
/// Returns that type.
DType requireActivations(const char* op, const char* what, const Tensor& tensor,
                         std::initializer_list<Dim> sizes);

/// F32 or BF16 of any shape.
void requireReal(const char* op, const char* what, const Tensor& tensor);

/// Same dtype and shape as `other`.
void requireLike(const char* op, const char* what, const Tensor& tensor, const Tensor& other);

/// F32 of any shape.
void requireF32(const char* op, const char* what, const Tensor& tensor);

void require(const char* op, bool condition, std::string_view what);

}  // namespace core::ops
