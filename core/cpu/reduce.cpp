// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>
#include <numeric>

namespace core::cpu {
namespace {

/// Totals of fixed blocks, added in order: the result does not depend on the number of threads.
constexpr std::int64_t kBlock = 1 << 15;

template <typename F>
double sumOfBlocks(std::int64_t n, double* totals, F total) {
    const std::int64_t blocks = (n + kBlock - 1) / kBlock;
    parallelFor(blocks, 1, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t b = begin; b < end; ++b)
            totals[b] = total(b * kBlock, std::min(kBlock, n - b * kBlock));
    });
    return std::accumulate(totals, totals + blocks, 0.0);
}

}  // namespace

void CpuBackend::sum(Out total, const Tensor& x) {
    const Kernels& k = start();
    const float* from = x.data<float>();
    *total.data<double>() = sumOfBlocks(
        x.elements(), doubleScratch(static_cast<std::size_t>(x.elements() / kBlock + 1)),
        [&](std::int64_t at, std::int64_t n) { return k.f32.sum(from + at, n); });
}

void CpuBackend::sumOfSquares(Out total, std::span<const Tensor> xs) {
    const Kernels& k = start();
    double sum = 0;
    for (const Tensor& x : xs) {
        const float* from = x.data<float>();
        sum += sumOfBlocks(
            x.elements(), doubleScratch(static_cast<std::size_t>(x.elements() / kBlock + 1)),
            [&](std::int64_t at, std::int64_t n) { return k.sumOfSquares(from + at, n); });
    }
    *total.data<double>() = sum;
}

}  // namespace core::cpu
