// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/convert.cuh"
#include "gpu/device/reduce.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/launch.h"
#include "gpu/packs.h"
#include "gpu/tensors.h"

#include <vector>

namespace gpu {
namespace {

/// A block's share of one tensor.
constexpr std::int64_t kShare = 1 << 15;

/// A tensor in a row of them whose blocks are counted through.
struct Addend {
    const float* x;
    std::int64_t n;
    std::int64_t firstBlock;
};

/// The last of the addends that begins at or before the block.
__device__ Addend addendOf(const Addend* addends, int count, std::int64_t block) {
    int low = 0;
    int high = count - 1;
    while (low < high) {
        const int middle = (low + high + 1) / 2;
        if (addends[middle].firstBlock <= block)
            low = middle;
        else
            high = middle - 1;
    }
    return addends[low];
}

template <bool kSquares>
__global__ void shareTotals(double* totals, const Addend* addends, int count) {
    const Addend addend = addendOf(addends, count, blockIdx.x);
    const std::int64_t begin = (std::int64_t{blockIdx.x} - addend.firstBlock) * kShare;
    const std::int64_t end = begin + kShare < addend.n ? begin + kShare : addend.n;
    double total = 0.0;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
        const auto x = static_cast<double>(addend.x[i]);
        total += kSquares ? x * x : x;
    }
    total = blockSum(total, blockShared<double>());
    if (threadIdx.x == 0) totals[blockIdx.x] = total;
}

/// One block: total = the sum of the totals.
__global__ void sumTotals(double* total, const double* totals, std::int64_t count) {
    double sum = 0.0;
    for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += totals[i];
    sum = blockSum(sum, blockShared<double>());
    if (threadIdx.x == 0) *total = sum;
}

}  // namespace

void CudaBackend::sumInto(double* total, std::span<const Tensor> xs, bool squares) {
    std::vector<Addend> addends;
    std::int64_t blocks = 0;
    for (const Tensor& x : xs) {
        if (x.elements() == 0) continue;
        addends.push_back({data<float>(x), x.elements(), blocks});
        blocks += divideUp(x.elements(), kShare);
    }
    if (blocks == 0)
        return check(cudaMemsetAsync(total, 0, sizeof *total, stream()), "clearing a total");
    constexpr std::size_t kShared = kMostWarps * sizeof(double);
    auto* const totals = scratchOf<double>(static_cast<std::size_t>(blocks));
    launch(stream(), squares ? shareTotals<true> : shareTotals<false>,
           static_cast<unsigned>(blocks), kElementThreads, kShared, totals,
           stage(std::span<const Addend>(addends)), static_cast<int>(addends.size()));
    launch(stream(), sumTotals, 1, kElementThreads, kShared, total, totals, blocks);
}

void CudaBackend::sum(Out total, const Tensor& x) { sumInto(data<double>(total), {&x, 1}, false); }

void CudaBackend::sumOfSquares(Out total, std::span<const Tensor> xs) {
    sumInto(data<double>(total), xs, true);
}

}  // namespace gpu
