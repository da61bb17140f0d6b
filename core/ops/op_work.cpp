// SPDX-License-Identifier: Apache-2.0
#include "core/ops/op_work.h"

#include <algorithm>

namespace core {

double productFlops(std::int64_t rows, const Tensor& weight) {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(weight.size(-2)) *
           static_cast<double>(weight.size(-1));
}

double attentionFlops(const AttentionShape& shape, const AttentionOptions& options, int products) {
    double pairs = static_cast<double>(shape.queries) * static_cast<double>(shape.keys);
    if (options.causal) {
        pairs = 0;
        for (std::int64_t i = 0; i < shape.queries; ++i)
            pairs += static_cast<double>(
                std::clamp<std::int64_t>(i + 1 + options.queryOffset, std::int64_t{0}, shape.keys));
    }
    return 2.0 * products * pairs * static_cast<double>(shape.batch * shape.heads * shape.headDim);
}

double embeddingBytes(const Tensor& y, const Tensor& table) {
    return static_cast<double>(y.elements()) * static_cast<double>(dtypeBytes(table.dtype()));
}

double assignmentBytes(const Assignment& assignment) {
    return bytesOf(assignment.slotToken, assignment.slotExpert, assignment.tokenOffsets,
                   assignment.tokenSlots, assignment.askedExperts);
}

}  // namespace core
