// SPDX-License-Identifier: Apache-2.0
#include "core/ops/reduce.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void sum(Backend& backend, Out total, const Tensor& x) {
    requireF32("sum", "x", x);
    requireTensor("sum", "total", total, DType::F64, {1});
    backend.sum(total, x);
}

void sumOfSquares(Backend& backend, Out total, std::span<const Tensor> xs) {
    requireTensor("sumOfSquares", "total", total, DType::F64, {1});
    for (const Tensor& x : xs) requireF32("sumOfSquares", "x", x);
    backend.sumOfSquares(total, xs);
}

}  // namespace core::ops
