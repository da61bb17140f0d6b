// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/ignored_label.h"
#include "gpu/device/rows.cuh"
#include "gpu/indices.h"
#include "gpu/packs.h"
#include "gpu/take.h"

#include <string>

namespace gpu {
namespace {

constexpr unsigned long long kNone = ~0ULL;

/// first = the lowest place of an index out of bounds.
__global__ void findOutside(unsigned long long* first, const std::int64_t* indices,
                            std::int64_t count, std::int64_t limit, std::int64_t ignored) {
    const std::int64_t i = threadElement();
    if (i >= count) return;
    const std::int64_t index = indices[i];
    if ((index < 0 || index >= limit) && index != ignored)
        atomicMin(first, static_cast<unsigned long long>(i));
}

}  // namespace

void requireIndices(cudaStream_t stream, void* word, const core::Tensor& indices,
                    std::int64_t limit, bool mayBeIgnored, const char* what) {
    if (indices.elements() == 0) return;
    auto* first = static_cast<unsigned long long*>(word);
    check(cudaMemsetAsync(first, 0xFF, sizeof kNone, stream), "clearing a word");
    launch(stream, findOutside, blocksFor(indices.elements()), dim3(kBlock), 0, first,
           data<std::int64_t>(indices), indices.elements(), limit,
           mayBeIgnored ? core::kIgnoredLabel : std::int64_t{0});
    const unsigned long long found = take(stream, first, 1).front();
    if (found == kNone) return;
    const std::int64_t index = take(stream, data<std::int64_t>(indices) + found, 1).front();
    CORE_CHECK(false, std::string(what) + " " + std::to_string(index) + " is not within 0 and " +
                          std::to_string(limit));
}

}  // namespace gpu
