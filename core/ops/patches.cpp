// SPDX-License-Identifier: Apache-2.0
#include "core/ops/patches.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void patchify(Backend& backend, Out patches, const Tensor& pixels, std::int64_t patch) {
    constexpr const char* kOp = "patchify";
    requireTensor(kOp, "pixels", pixels, DType::F32, {"B", "C", "H", "W"});
    require(
        kOp, patch > 0 && pixels.size(2) % patch == 0 && pixels.size(3) % patch == 0,
        "pixels " + pixels.describe() + " are no multiple of patches of " + std::to_string(patch));
    requireActivations(kOp, "patches", patches,
                       {pixels.size(0) * (pixels.size(2) / patch) * (pixels.size(3) / patch),
                        pixels.size(1) * patch * patch});
    backend.patchify(patches, pixels, patch);
}

void embedForward(Backend& backend, Out y, const Tensor& patches, const Tensor& cls,
                  const Tensor& positions) {
    constexpr const char* kOp = "embedForward";
    const DType type = requireActivations(kOp, "y", y, {"B", "N+1", "D"});
    require(kOp, y.size(1) >= 1, "y has no row for the cls token");
    requireTensor(kOp, "patches", patches, type, {y.size(0) * (y.size(1) - 1), y.size(2)});
    requireTensor(kOp, "cls", cls, DType::F32, {y.size(2)});
    requireTensor(kOp, "positions", positions, DType::F32, {y.size(1), y.size(2)});
    backend.embedForward(y, patches, cls, positions);
}

void embedBackward(Backend& backend, Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) {
    constexpr const char* kOp = "embedBackward";
    const DType type = requireActivations(kOp, "dy", dy, {"B", "N+1", "D"});
    require(kOp, dy.size(1) >= 1, "dy has no row for the cls token");
    requireTensor(kOp, "dPatches", dPatches, type, {dy.size(0) * (dy.size(1) - 1), dy.size(2)});
    requireTensor(kOp, "dCls", dCls, DType::F32, {dy.size(2)});
    requireTensor(kOp, "dPositions", dPositions, DType::F32, {dy.size(1), dy.size(2)});
    backend.embedBackward(dPatches, dCls, dPositions, dy);
}

}  // namespace core::ops
