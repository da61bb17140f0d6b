// SPDX-License-Identifier: Apache-2.0
#include "core/ops/grouped_linear.h"

#include "core/ops/check_internal.h"

namespace core::ops {
namespace {

void requireOffsets(const char* op, std::span<const std::int64_t> offsets, std::int64_t experts,
                    std::int64_t slots) {
    bool right = offsets.size() == static_cast<std::size_t>(experts) + 1 && offsets.front() == 0 &&
                 offsets.back() == slots;
    for (std::size_t e = 1; right && e < offsets.size(); ++e) right = offsets[e - 1] <= offsets[e];
    require(op, right,
            "offsets do not divide the " + std::to_string(slots) + " rows among " +
                std::to_string(experts) + " experts");
}

}  // namespace

void groupedLinearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                          const Tensor& bias, std::span<const std::int64_t> offsets) {
    constexpr const char* kOp = "groupedLinearForward";
    requireTensor(kOp, "x", x, DType::F32, {"slots", "in"});
    requireTensor(kOp, "weight", weight, DType::F32, {"E", "out", x.size(1)});
    requireTensorOrNone(kOp, "bias", bias, DType::F32, {weight.size(0), weight.size(1)});
    requireTensor(kOp, "y", y, DType::F32, {x.size(0), weight.size(1)});
    requireOffsets(kOp, offsets, weight.size(0), x.size(0));
    backend.groupedLinearForward(y, x, weight, bias, offsets);
}

void groupedLinearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight,
                               std::span<const std::int64_t> offsets) {
    constexpr const char* kOp = "groupedLinearBackwardData";
    requireTensor(kOp, "weight", weight, DType::F32, {"E", "out", "in"});
    requireTensor(kOp, "dy", dy, DType::F32, {"slots", weight.size(1)});
    requireTensor(kOp, "dx", dx, DType::F32, {dy.size(0), weight.size(2)});
    requireOffsets(kOp, offsets, weight.size(0), dy.size(0));
    backend.groupedLinearBackwardData(dx, dy, weight, offsets);
}

void groupedLinearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                                 const Tensor& x, std::span<const std::int64_t> offsets) {
    constexpr const char* kOp = "groupedLinearBackwardWeight";
    requireTensor(kOp, "x", x, DType::F32, {"slots", "in"});
    requireTensor(kOp, "dy", dy, DType::F32, {x.size(0), "out"});
    requireTensor(kOp, "dWeight", dWeight, DType::F32, {"E", dy.size(1), x.size(1)});
    requireTensorOrNone(kOp, "dBias", dBias, DType::F32, {dWeight.size(0), dy.size(1)});
    requireOffsets(kOp, offsets, dWeight.size(0), x.size(0));
    backend.groupedLinearBackwardWeight(dWeight, dBias, dy, x, offsets);
}

}  // namespace core::ops
