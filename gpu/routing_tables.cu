// SPDX-License-Identifier: Apache-2.0
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/packs.h"
#include "gpu/routing_tables.h"
#include "gpu/scan.h"
#include "gpu/take.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace gpu {
namespace {

/// Rows of a group that one block counts.
constexpr std::int64_t kRowsOfPart = 16384;

__global__ void countParts(unsigned long long* counts, Groups groups, std::int64_t parts) {
    const std::int64_t group = blockIdx.x / parts;
    const std::int64_t part = blockIdx.x % parts;
    const std::int64_t first = groups.begins[group] + part * kRowsOfPart;
    const std::int64_t end = min(first + kRowsOfPart, groups.begins[group + 1]);
    unsigned long long real = 0;
    for (std::int64_t row = first + threadIdx.x; row < end; row += blockDim.x)
        real += groups.isReal(row) ? 1 : 0;
    real = blockSum(real, blockShared<unsigned long long>());
    if (threadIdx.x == 0 && real > 0) atomicAdd(counts + group, real);
}

__global__ void countSlots(std::int32_t* tokenOffsets, const std::int32_t* slotOf,
                           std::int64_t tokens, std::int64_t experts) {
    const std::int64_t t = threadElement();
    if (t > tokens) return;
    std::int32_t count = 0;
    for (std::int64_t e = 0; t < tokens && e < experts; ++e)
        count += slotOf[e * tokens + t] >= 0 ? 1 : 0;
    tokenOffsets[t] = count;
}

__global__ void listSlots(std::int32_t* tokenSlots, const std::int32_t* tokenOffsets,
                          const std::int32_t* slotOf, std::int64_t tokens, std::int64_t experts) {
    const std::int64_t t = threadElement();
    if (t >= tokens) return;
    std::int32_t at = tokenOffsets[t];
    for (std::int64_t e = 0; e < experts; ++e) {
        const std::int32_t slot = slotOf[e * tokens + t];
        if (slot >= 0) tokenSlots[at++] = slot;
    }
}

}  // namespace

void countRealTokens(cudaStream_t stream, unsigned long long* counts, const Groups& groups,
                     std::int64_t largest) {
    check(
        cudaMemsetAsync(counts, 0, static_cast<std::size_t>(groups.count) * sizeof *counts, stream),
        "clearing the counts");
    const std::int64_t parts = divideUp(largest, kRowsOfPart);
    launch(stream, countParts, dim3(static_cast<unsigned>(parts * groups.count)), dim3(kBlock),
           kMostWarps * sizeof *counts, counts, groups, parts);
}

std::int64_t largestGroup(const core::RoutingGroups& groups) {
    std::int64_t largest = 0;
    for (std::size_t g = 0; g + 1 < groups.begins.size(); ++g)
        largest = std::max(largest, groups.begins[g + 1] - groups.begins[g]);
    return largest;
}

std::vector<std::int64_t> realTokens(cudaStream_t stream, unsigned long long* counts,
                                     const core::RoutingGroups& groups, const Groups& rows) {
    if (!groups.realTokens.empty()) return groups.realTokens;
    std::vector<std::int64_t> tokens;
    if (groups.mask.defined()) {
        countRealTokens(stream, counts, rows, largestGroup(groups));
        for (const unsigned long long n :
             take(stream, counts, static_cast<std::size_t>(rows.count)))
            tokens.push_back(static_cast<std::int64_t>(n));
    } else {
        for (std::size_t g = 0; g + 1 < groups.begins.size(); ++g)
            tokens.push_back(groups.begins[g + 1] - groups.begins[g]);
    }
    return tokens;
}

core::Tensor makeInts(core::Backend& backend, core::Shape shape) {
    const auto bytes = static_cast<std::size_t>(shape.elements()) * sizeof(std::int32_t);
    return {backend.allocate(bytes), 0, std::move(shape), core::DType::I32};
}

void makeTables(core::Backend& backend, core::Assignment& a) {
    a.slotToken = makeInts(backend, {a.slots()});
    a.slotExpert = makeInts(backend, {a.slots()});
    a.tokenOffsets = makeInts(backend, {a.tokens + 1});
    a.tokenSlots = makeInts(backend, {a.slots()});
}

int bitsOf(std::int64_t largest) {
    return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(largest)));
}

void fillTokenTables(cudaStream_t stream, const core::Assignment& assignment,
                     const std::int32_t* slotOf, std::uint32_t* words) {
    auto* offsets = data<std::int32_t>(assignment.tokenOffsets);
    const std::int64_t tokens = assignment.tokens;
    launch(stream, countSlots, blocksFor(tokens + 1), dim3(kBlock), 0, offsets, slotOf, tokens,
           assignment.experts);
    exclusiveScan(stream, reinterpret_cast<std::uint32_t*>(offsets), tokens + 1, words);
    launch(stream, listSlots, blocksFor(tokens), dim3(kBlock), 0,
           data<std::int32_t>(assignment.tokenSlots), offsets, slotOf, tokens, assignment.experts);
}

}  // namespace gpu
