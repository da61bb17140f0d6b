// SPDX-License-Identifier: Apache-2.0
#include "core/ops/reduce.h"

#include "core/ops/check_internal.h"

namespace core::ops {

double sum(Backend& backend, const Tensor& x) {
    requireF32("sum", "x", x);
    return backend.sum(x);
}

double sumOfSquares(Backend& backend, std::span<const Tensor> xs) {
    for (const Tensor& x : xs) requireF32("sumOfSquares", "x", x);
    return backend.sumOfSquares(xs);
}

}  // namespace core::ops
