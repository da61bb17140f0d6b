// SPDX-License-Identifier: Apache-2.0
#include "core/ops/check_internal.h"

#include <fmt/format.h>

namespace core::ops {
namespace {

bool matches(const Tensor& tensor, DType dtype, std::initializer_list<Dim> sizes) {
    if (!tensor.defined() || tensor.dtype() != dtype || tensor.shape().rank() != sizes.size())
        return false;
    int axis = 0;
    for (const Dim& dim : sizes) {
        if (dim.name == nullptr && tensor.size(axis) != dim.value) return false;
        ++axis;
    }
    return true;
}

std::string expected(std::string_view dtypes, std::initializer_list<Dim> sizes) {
    std::string text = std::string(dtypes) + " [";
    const char* separator = "";
    for (const Dim& dim : sizes) {
        text +=
            separator + (dim.name != nullptr ? std::string(dim.name) : std::to_string(dim.value));
        separator = ", ";
    }
    return text + "]";
}

}  // namespace

void requireTensor(const char* op, const char* what, const Tensor& tensor, DType dtype,
                   std::initializer_list<Dim> sizes) {
    const bool matching = matches(tensor, dtype, sizes);
    CORE_CHECK(matching, fmt::format("[{}] {} is {}, expected {}", op, what, tensor.describe(),
                                     expected(dtypeName(dtype), sizes)));
}

void requireTensorOrNone(const char* op, const char* what, const Tensor& tensor, DType dtype,
                         std::initializer_list<Dim> sizes) {
    if (tensor.defined()) requireTensor(op, what, tensor, dtype, sizes);
}

DType requireActivations(const char* op, const char* what, const Tensor& tensor,
                         std::initializer_list<Dim> sizes) {
    const bool matching = matches(tensor, DType::F32, sizes) || matches(tensor, DType::BF16, sizes);
    CORE_CHECK(matching, fmt::format("[{}] {} is {}, expected {}", op, what, tensor.describe(),
                                     expected("F32 or BF16", sizes)));
    return tensor.dtype();
}

void requireReal(const char* op, const char* what, const Tensor& tensor) {
    const bool matching =
        tensor.defined() && (tensor.dtype() == DType::F32 || tensor.dtype() == DType::BF16);
    CORE_CHECK(matching,
               fmt::format("[{}] {} is {}, expected F32 or BF16", op, what, tensor.describe()));
}

void requireLike(const char* op, const char* what, const Tensor& tensor, const Tensor& other) {
    const bool matching = tensor.defined() && other.defined() && tensor.dtype() == other.dtype() &&
                          tensor.shape() == other.shape();
    CORE_CHECK(matching, fmt::format("[{}] {} is {}, expected {}", op, what, tensor.describe(),
                                     other.describe()));
}

void requireF32(const char* op, const char* what, const Tensor& tensor) {
    const bool matching = tensor.defined() && tensor.dtype() == DType::F32;
    CORE_CHECK(matching, fmt::format("[{}] {} is {}, expected F32", op, what, tensor.describe()));
}

void require(const char* op, bool condition, std::string_view what) {
    CORE_CHECK(condition, fmt::format("[{}] {}", op, what));
}

}  // namespace core::ops
