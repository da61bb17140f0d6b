// SPDX-License-Identifier: Apache-2.0
#include "core/ops/rows.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void firstRowsForward(Backend& backend, Out y, const Tensor& x) {
    constexpr const char* kOp = "firstRowsForward";
    const DType type = requireActivations(kOp, "x", x, {"B", "S", "D"});
    require(kOp, x.size(1) >= 1, "x has no rows");
    requireTensor(kOp, "y", y, type, {x.size(0), x.size(2)});
    backend.firstRowsForward(y, x);
}

void firstRowsBackward(Backend& backend, Out dx, const Tensor& dy) {
    constexpr const char* kOp = "firstRowsBackward";
    const DType type = requireActivations(kOp, "dy", dy, {"B", "D"});
    requireTensor(kOp, "dx", dx, type, {dy.size(0), "S", dy.size(1)});
    require(kOp, dx.size(1) >= 1, "dx has no rows");
    backend.firstRowsBackward(dx, dy);
}

}  // namespace core::ops
