// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/ignored_label.h"
#include "gpu/device/reduce.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/indices.h"
#include "gpu/launch.h"
#include "gpu/packs.h"
#include "gpu/tensors.h"

#include <string>

namespace gpu {
namespace {

constexpr unsigned kThreads = 1024;

/// One block: writes down the first index out of bounds, where none was found before.
__global__ void findOutside(BadIndex* first, const std::int64_t* indices, std::int64_t count,
                            std::int64_t limit, std::int64_t ignored, IndexKind kind) {
    // The maximum of (count - place) is the lowest place; 0 = none.
    long long lowest = 0;
    for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        const std::int64_t index = indices[i];
        const bool outside = (index < 0 || index >= limit) && index != ignored;
        if (outside && lowest == 0) lowest = static_cast<long long>(count - i);
    }
    lowest = blockMax(lowest, blockShared<long long>());
    if (threadIdx.x != 0 || lowest == 0 || first->found != 0) return;
    *first = {1, indices[count - lowest], limit, kind};
}

}  // namespace

IndexChecks::IndexChecks(const Stream& stream) : stream_(stream), first_(sizeof(BadIndex)) {
    check(cudaMemsetAsync(first_.get(), 0, sizeof(BadIndex), stream.get()), "clearing a record");
}

void IndexChecks::require(const core::Tensor& indices, std::int64_t limit, bool mayBeIgnored,
                          IndexKind kind) {
    if (indices.elements() == 0) return;
    launch(stream_.get(), findOutside, 1, kThreads, kMostWarps * sizeof(long long),
           static_cast<BadIndex*>(first_.get()), data<std::int64_t>(indices), indices.elements(),
           limit, mayBeIgnored ? core::kIgnoredLabel : std::int64_t{0}, kind);
}

void IndexChecks::copyTo(BadIndex* pinned) const {
    check(cudaMemcpyAsync(pinned, first_.get(), sizeof(BadIndex), cudaMemcpyDeviceToHost,
                          stream_.get()),
          "copying from the device");
}

void IndexChecks::raise(const BadIndex& bad) {
    if (bad.found == 0) return;
    check(cudaMemsetAsync(first_.get(), 0, sizeof(BadIndex), stream_.get()), "clearing a record");
    CORE_CHECK(false, std::string(bad.kind == IndexKind::Id ? "id " : "label ") +
                          std::to_string(bad.index) + " is not within 0 and " +
                          std::to_string(bad.limit));
}

}  // namespace gpu
