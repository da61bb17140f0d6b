// SPDX-License-Identifier: Apache-2.0
#include "core/ops/softmax.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void softmaxForward(Backend& backend, Out y, const Tensor& x) {
    requireTensor("softmaxForward", "x", x, DType::F32, {"m", "E"});
    requireLike("softmaxForward", "y", y, x);
    require("softmaxForward", x.size(1) >= 1, "x has no columns");
    backend.softmaxForward(y, x);
}

void softmaxBackward(Backend& backend, Out dx, const Tensor& dy, const Tensor& y) {
    requireTensor("softmaxBackward", "y", y, DType::F32, {"m", "E"});
    requireLike("softmaxBackward", "dy", dy, y);
    requireLike("softmaxBackward", "dx", dx, y);
    backend.softmaxBackward(dx, dy, y);
}

}  // namespace core::ops
