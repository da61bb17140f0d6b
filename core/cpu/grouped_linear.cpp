// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/column_sums_internal.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

namespace core::cpu {
namespace {

/// Calls body(expert, first row, rows) for every expert that has rows.
template <typename F>
void forExperts(std::span<const std::int64_t> offsets, F body) {
    for (std::size_t e = 0; e + 1 < offsets.size(); ++e)
        if (offsets[e + 1] > offsets[e])
            body(static_cast<std::int64_t>(e), offsets[e], offsets[e + 1] - offsets[e]);
}

}  // namespace

void CpuBackend::groupedLinearForward(Out y, const Tensor& x, const Tensor& weight,
                                      const Tensor& bias, std::span<const std::int64_t> offsets) {
    const Kernels& k = start();
    const std::int64_t in = x.size(1);
    const std::int64_t out = y.size(1);
    forExperts(offsets, [&](std::int64_t e, std::int64_t first, std::int64_t rows) {
        float* into = y.data<float>() + first * out;
        productForward(into, x.data<float>() + first * in, weight.data<float>() + e * in * out,
                       rows, in, out);
        if (!bias.defined()) return;
        const float* shift = bias.data<float>() + e * out;
        parallelFor(rows, rowGrain(out), [&](std::int64_t begin, std::int64_t end, int) {
            k.addRows(into + begin * out, shift, end - begin, out);
        });
    });
}

void CpuBackend::groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                           std::span<const std::int64_t> offsets) {
    start();
    const std::int64_t in = dx.size(1);
    const std::int64_t out = dy.size(1);
    forExperts(offsets, [&](std::int64_t e, std::int64_t first, std::int64_t rows) {
        productBackwardData(dx.data<float>() + first * in, dy.data<float>() + first * out,
                            weight.data<float>() + e * in * out, rows, in, out);
    });
}

void CpuBackend::groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                             const Tensor& x,
                                             std::span<const std::int64_t> offsets) {
    const Kernels& k = start();
    const std::int64_t in = x.size(1);
    const std::int64_t out = dy.size(1);
    double* scratch = doubleScratch(static_cast<std::size_t>(threads_ * out));
    forExperts(offsets, [&](std::int64_t e, std::int64_t first, std::int64_t rows) {
        const float* slopes = dy.data<float>() + first * out;
        productBackwardWeight(dWeight.data<float>() + e * in * out, slopes,
                              x.data<float>() + first * in, rows, in, out);
        if (dBias.defined())
            addColumnSums(k, dBias.data<float>() + e * out, slopes, rows, out, scratch);
    });
}

}  // namespace core::cpu
