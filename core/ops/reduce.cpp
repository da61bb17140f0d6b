// SPDX-License-Identifier: Apache-2.0
#include "core/ops/reduce.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void sum(Backend& backend, Out total, const Tensor& x) {
    requireF32("sum", "x", x);
    requireTensor("sum", "total", total, DType::F64, {1});
    backend.sum(total, x);
}

double sumOfSquares(Backend& backend, std::span<const Tensor> xs) {
    for (const Tensor& x : xs) requireF32("sumOfSquares", "x", x);
    return backend.sumOfSquares(xs);
}

}  // namespace core::ops
