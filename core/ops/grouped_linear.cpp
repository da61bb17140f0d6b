// SPDX-License-Identifier: Apache-2.0
#include "core/ops/grouped_linear.h"

#include "core/ops/check_internal.h"

namespace core::ops {
namespace {

void requireOffsets(const char* op, const ExpertOffsets& expertOffsets, std::int64_t experts,
                    std::int64_t slots) {
    if (expertOffsets.there.defined() && expertOffsets.host.empty())
        return requireTensor(op, "offsets", expertOffsets.there, DType::I64, {experts + 1});
    const std::span<const std::int64_t> offsets = expertOffsets.host;
    bool right = offsets.size() == static_cast<std::size_t>(experts) + 1 && offsets.front() == 0 &&
                 offsets.back() == slots;
    for (std::size_t e = 1; right && e < offsets.size(); ++e) right = offsets[e - 1] <= offsets[e];
    require(op, right,
            "offsets do not divide the " + std::to_string(slots) + " rows among " +
                std::to_string(experts) + " experts");
}

}  // namespace

void groupedLinearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                          const Tensor& bias, const ExpertOffsets& offsets) {
    constexpr const char* kOp = "groupedLinearForward";
    const DType type = requireActivations(kOp, "x", x, {"slots", "in"});
    requireTensor(kOp, "weight", weight, type, {"E", "out", x.size(1)});
    requireTensorOrNone(kOp, "bias", bias, DType::F32, {weight.size(0), weight.size(1)});
    requireTensor(kOp, "y", y, type, {x.size(0), weight.size(1)});
    requireOffsets(kOp, offsets, weight.size(0), x.size(0));
    backend.groupedLinearForward(y, x, weight, bias, offsets);
}

void groupedLinearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight,
                               const ExpertOffsets& offsets) {
    constexpr const char* kOp = "groupedLinearBackwardData";
    const DType type = requireActivations(kOp, "weight", weight, {"E", "out", "in"});
    requireTensor(kOp, "dy", dy, type, {"slots", weight.size(1)});
    requireTensor(kOp, "dx", dx, type, {dy.size(0), weight.size(2)});
    requireOffsets(kOp, offsets, weight.size(0), dy.size(0));
    backend.groupedLinearBackwardData(dx, dy, weight, offsets);
}

void groupedLinearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                                 const Tensor& x, const ExpertOffsets& offsets) {
    constexpr const char* kOp = "groupedLinearBackwardWeight";
    const DType type = requireActivations(kOp, "x", x, {"slots", "in"});
    requireTensor(kOp, "dy", dy, type, {x.size(0), "out"});
    requireTensor(kOp, "dWeight", dWeight, DType::F32, {"E", dy.size(1), x.size(1)});
    requireTensorOrNone(kOp, "dBias", dBias, DType::F32, {dWeight.size(0), dy.size(1)});
    requireOffsets(kOp, offsets, dWeight.size(0), x.size(0));
    backend.groupedLinearBackwardWeight(dWeight, dBias, dy, x, offsets);
}

void groupedLinearActivationForward(Backend& backend, Out y, Out before, const Tensor& x,
                                    const Tensor& weight, const Tensor& bias,
                                    const ExpertOffsets& offsets, Activation kind) {
    constexpr const char* kOp = "groupedLinearActivationForward";
    const DType type = requireActivations(kOp, "x", x, {"slots", "in"});
    requireTensor(kOp, "weight", weight, type, {"E", "out", x.size(1)});
    requireTensorOrNone(kOp, "bias", bias, DType::F32, {weight.size(0), weight.size(1)});
    requireTensor(kOp, "before", before, type, {x.size(0), weight.size(1)});
    requireLike(kOp, "y", y, before);
    require(kOp, kind == Activation::Relu || y.elements() == 0 || y.raw() != before.raw(),
            "y is before, which backward needs");
    requireOffsets(kOp, offsets, weight.size(0), x.size(0));
    backend.groupedLinearActivationForward(y, before, x, weight, bias, offsets, kind);
}

void groupedLinearActivationBackwardData(Backend& backend, Out dBefore, const Tensor& dy,
                                         const Tensor& weight, const Tensor& before,
                                         const ExpertOffsets& offsets, Activation kind) {
    constexpr const char* kOp = "groupedLinearActivationBackwardData";
    const DType type = requireActivations(kOp, "weight", weight, {"E", "out", "in"});
    requireTensor(kOp, "dy", dy, type, {"slots", weight.size(1)});
    requireTensor(kOp, "before", before, type, {dy.size(0), weight.size(2)});
    requireLike(kOp, "dBefore", dBefore, before);
    requireOffsets(kOp, offsets, weight.size(0), dy.size(0));
    backend.groupedLinearActivationBackwardData(dBefore, dy, weight, before, offsets, kind);
}

}  // namespace core::ops
