// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void add(Backend& backend, Out y, const Tensor& a, const Tensor& b) {
    requireReal("add", "a", a);
    requireLike("add", "b", b, a);
    requireLike("add", "y", y, a);
    backend.add(y, a, b);
}

void multiply(Backend& backend, Out y, const Tensor& a, const Tensor& b) {
    requireReal("multiply", "a", a);
    requireLike("multiply", "b", b, a);
    requireLike("multiply", "y", y, a);
    backend.multiply(y, a, b);
}

void accumulate(Backend& backend, InOut y, const Tensor& x, float factor) {
    requireReal("accumulate", "x", x);
    requireLike("accumulate", "y", y, x);
    backend.accumulate(y, x, factor);
}

void scale(Backend& backend, InOut y, float factor) {
    requireReal("scale", "y", y);
    backend.scale(y, factor);
}

}  // namespace core::ops
