// SPDX-License-Identifier: Apache-2.0
#include "core/ops/moe.h"

#include "core/ops/check_internal.h"

namespace core::ops {
namespace {

void requireAssignment(const char* op, const Assignment& a) {
    require(op,
            a.offsets.size() == static_cast<std::size_t>(a.experts) + 1 || a.offsetsThere.defined(),
            "the assignment has no offsets");
    requireTensor(op, "slotToken", a.slotToken, DType::I32, {a.slots()});
    requireTensor(op, "tokenOffsets", a.tokenOffsets, DType::I32, {a.tokens + 1});
    requireTensor(op, "tokenSlots", a.tokenSlots, DType::I32, {a.slots()});
}

}  // namespace

void dispatchForward(Backend& backend, Out slots, const Tensor& x, const Assignment& assignment) {
    constexpr const char* kOp = "dispatchForward";
    requireAssignment(kOp, assignment);
    const DType type = requireActivations(kOp, "x", x, {assignment.tokens, "d"});
    requireTensor(kOp, "slots", slots, type, {assignment.slots(), x.size(1)});
    backend.dispatchForward(slots, x, assignment);
}

void dispatchBackward(Backend& backend, Out dx, const Tensor& dSlots,
                      const Assignment& assignment) {
    constexpr const char* kOp = "dispatchBackward";
    requireAssignment(kOp, assignment);
    const DType type = requireActivations(kOp, "dSlots", dSlots, {assignment.slots(), "d"});
    requireTensor(kOp, "dx", dx, type, {assignment.tokens, dSlots.size(1)});
    backend.dispatchBackward(dx, dSlots, assignment);
}

void combineForward(Backend& backend, Out y, const Tensor& slots, const Tensor& weights,
                    const Assignment& assignment) {
    constexpr const char* kOp = "combineForward";
    requireAssignment(kOp, assignment);
    const DType type = requireActivations(kOp, "slots", slots, {assignment.slots(), "d"});
    requireTensor(kOp, "weights", weights, DType::F32, {assignment.slots()});
    requireTensor(kOp, "y", y, type, {assignment.tokens, slots.size(1)});
    backend.combineForward(y, slots, weights, assignment);
}

void combineBackward(Backend& backend, Out dSlots, Out dWeights, const Tensor& dy,
                     const Tensor& slots, const Tensor& weights, const Assignment& assignment) {
    constexpr const char* kOp = "combineBackward";
    requireAssignment(kOp, assignment);
    const DType type = requireActivations(kOp, "slots", slots, {assignment.slots(), "d"});
    requireTensor(kOp, "weights", weights, DType::F32, {assignment.slots()});
    requireTensor(kOp, "dy", dy, type, {assignment.tokens, slots.size(1)});
    requireLike(kOp, "dSlots", dSlots, slots);
    requireLike(kOp, "dWeights", dWeights, weights);
    backend.combineBackward(dSlots, dWeights, dy, slots, weights, assignment);
}

}  // namespace core::ops
