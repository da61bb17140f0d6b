// SPDX-License-Identifier: Apache-2.0
#include "core/ops/rows.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void firstRowsForward(Backend& backend, Out y, const Tensor& x) {
    constexpr const char* kOp = "firstRowsForward";
    requireTensor(kOp, "x", x, DType::F32, {"B", "S", "D"});
    require(kOp, x.size(1) >= 1, "x has no rows");
    requireTensor(kOp, "y", y, DType::F32, {x.size(0), x.size(2)});
    backend.firstRowsForward(y, x);
}

void firstRowsBackward(Backend& backend, Out dx, const Tensor& dy) {
    constexpr const char* kOp = "firstRowsBackward";
    requireTensor(kOp, "dy", dy, DType::F32, {"B", "D"});
    requireTensor(kOp, "dx", dx, DType::F32, {dy.size(0), "S", dy.size(1)});
    require(kOp, dx.size(1) >= 1, "dx has no rows");
    backend.firstRowsBackward(dx, dy);
}

}  // namespace core::ops
