// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/column_sums_internal.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

namespace core::cpu {

void CpuBackend::linearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Kernels& k = start();
    const std::int64_t out = weight.size(0);
    float* into = y.data<float>();
    productForward(into, x.data<float>(), weight.data<float>(), x.size(0), x.size(1), out);
    if (!bias.defined()) return;
    const float* shift = bias.data<float>();
    parallelFor(y.size(0), rowGrain(out), [&](std::int64_t begin, std::int64_t end, int) {
        k.addRows(into + begin * out, shift, end - begin, out);
    });
}

void CpuBackend::linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) {
    start();
    productBackwardData(dx.data<float>(), dy.data<float>(), weight.data<float>(), dy.size(0),
                        weight.size(1), weight.size(0));
}

void CpuBackend::linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                      const Tensor& x) {
    const Kernels& k = start();
    const std::int64_t out = dy.size(1);
    productBackwardWeight(dWeight.data<float>(), dy.data<float>(), x.data<float>(), x.size(0),
                          x.size(1), out);
    if (dBias.defined())
        addColumnSums(k, dBias.data<float>(), dy.data<float>(), dy.size(0), out,
                      doubleScratch(static_cast<std::size_t>(threads_ * out)));
}

}  // namespace core::cpu
