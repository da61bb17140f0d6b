// SPDX-License-Identifier: Apache-2.0
#include "core/ops/dropout.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void dropout(Backend& backend, Out y, const Tensor& x, float rate, std::uint64_t key) {
    requireReal("dropout", "x", x);
    requireLike("dropout", "y", y, x);
    require("dropout", rate >= 0.0F && rate < 1.0F, "the rate is not within 0 and 1");
    backend.dropout(y, x, rate, key);
}

}  // namespace core::ops
