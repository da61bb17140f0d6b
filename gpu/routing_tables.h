// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"
#include "gpu/device/groups.cuh"

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

namespace gpu {

/// counts [groups.count] = the real tokens of each group; `largest` is the most rows of one.
void countRealTokens(cudaStream_t stream, unsigned long long* counts, const Groups& groups,
                     std::int64_t largest);

std::int64_t largestGroup(const core::RoutingGroups& groups);

/// [groups], the real tokens of each; waits for the device where only the mask tells them. `counts`
/// is scratch memory of as many numbers.
std::vector<std::int64_t> realTokens(cudaStream_t stream, unsigned long long* counts,
                                     const core::RoutingGroups& groups, const Groups& rows);

/// An uninitialised I32 tensor.
core::Tensor makeInts(core::Backend& backend, core::Shape shape);

/// Gives an assignment with offsets its uninitialised slot tables.
void makeTables(core::Backend& backend, core::Assignment& assignment);

/// Bits of the numbers from 0 to `largest`.
int bitsOf(std::int64_t largest);

/// A token has at most one slot of an expert: slotOf [experts, tokens] has it, or -1. This is what
/// makes Assignment::tokenOffsets and tokenSlots from it; `words` is scratch memory of
/// scanWords(tokens + 1).
void fillTokenTables(cudaStream_t stream, const core::Assignment& assignment,
                     const std::int32_t* slotOf, std::uint32_t* words);

}  // namespace gpu
