// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/gpu/simt/device.h"

#include <cstdint>

namespace simt {

/// mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 of the whole warp: c += A B.
void multiplyFragments(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                       const Location& where);

/// ldmatrix.sync.aligned.m8n8.x4[.trans].shared.b16 of the whole warp. A row that is not aligned to
/// 16 bytes or not in the block's shared memory is a Fault.
void loadFragments(std::uint32_t (&into)[4], const void* row, bool transposed,
                   const Location& where);

}  // namespace simt
