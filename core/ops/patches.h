// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// patches [B * (H/P) * (W/P), C*P*P] from pixels [B, C, H, W], element order (channel, row,
/// column) as a conv weight [D, C, P, P] has it; H and W are multiples of P.
void patchify(Backend& backend, Out patches, const Tensor& pixels, std::int64_t patch);

/// y [B, N+1, D] = concat(cls [D], patches [B*N, D]) + positions [N+1, D].
void embedForward(Backend& backend, Out y, const Tensor& patches, const Tensor& cls,
                  const Tensor& positions);

/// dPatches overwritten; dCls, dPositions accumulated.
void embedBackward(Backend& backend, Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy);

}  // namespace core::ops
