// SPDX-License-Identifier: Apache-2.0
#include "core/ops/embedding.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void embeddingForward(Backend& backend, Out y, const Tensor& ids, const Tensor& table) {
    constexpr const char* kOp = "embeddingForward";
    const DType type = requireActivations(kOp, "table", table, {"V", "d"});
    requireTensor(kOp, "ids", ids, DType::I64, {"m"});
    requireActivations(kOp, "y", y, {ids.size(0), table.size(1)});
    if (type != DType::F32) requireTensor(kOp, "y", y, type, {ids.size(0), table.size(1)});
    backend.embeddingForward(y, ids, table);
}

void embeddingBackward(Backend& backend, InOut dTable, const Tensor& dy, const Tensor& ids) {
    constexpr const char* kOp = "embeddingBackward";
    requireTensor(kOp, "dTable", dTable, DType::F32, {"V", "d"});
    requireTensor(kOp, "ids", ids, DType::I64, {"m"});
    requireActivations(kOp, "dy", dy, {ids.size(0), dTable.size(1)});
    backend.embeddingBackward(dTable, dy, ids);
}

}  // namespace core::ops
