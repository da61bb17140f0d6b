// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/grouped_product.h"
#include "gpu/linear_products.h"
#include "gpu/tensors.h"

namespace gpu {
namespace {

/// Whether all experts are known to have as many rows.
bool areEven(const core::ExpertOffsets& expertOffsets) {
    const std::span<const std::int64_t> offsets = expertOffsets.host;
    if (offsets.empty()) return false;
    for (std::size_t e = 2; e < offsets.size(); ++e)
        if (offsets[e] - offsets[e - 1] != offsets[1] - offsets[0]) return false;
    return true;
}

}  // namespace

LinearProducts CudaBackend::evenProducts(std::span<const std::int64_t> offsets, std::int64_t in,
                                         std::int64_t out, core::DType type) {
    return {
        stream(), blas_, static_cast<std::int64_t>(offsets.size()) - 1, offsets[1] - offsets[0], in,
        out,      type};
}

const std::int64_t* CudaBackend::onDevice(const ExpertOffsets& offsets) {
    return offsets.host.empty() ? data<std::int64_t>(offsets.there) : stage(offsets.host);
}

core::Tensor CudaBackend::biasLike(const Tensor& y, const Tensor& bias) {
    if (!bias.defined() || bias.dtype() == y.dtype()) return bias;
    Tensor converted(
        allocate(static_cast<std::size_t>(bias.elements()) * core::dtypeBytes(y.dtype())), 0,
        bias.shape(), y.dtype());
    copy(converted, bias);
    return converted;
}

void CudaBackend::groupedLinearForward(Out y, const Tensor& x, const Tensor& weight,
                                       const Tensor& bias, const ExpertOffsets& offsets) {
    if (areEven(offsets))
        evenProducts(offsets.host, weight.size(2), weight.size(1), x.dtype())
            .forward(y, x, weight, biasLike(y, bias));
    else
        GroupedProducts(stream(), onDevice(offsets)).forward(y, x, weight, bias);
}

void CudaBackend::groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                            const ExpertOffsets& offsets) {
    if (areEven(offsets))
        evenProducts(offsets.host, weight.size(2), weight.size(1), dy.dtype())
            .backwardData(dx, dy, weight);
    else
        GroupedProducts(stream(), onDevice(offsets)).backwardData(dx, dy, weight);
}

void CudaBackend::groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                              const Tensor& x, const ExpertOffsets& offsets) {
    if (!areEven(offsets)) {
        GroupedProducts(stream(), onDevice(offsets)).backwardWeight(dWeight, dBias, dy, x);
        return;
    }
    const LinearProducts products = evenProducts(offsets.host, x.size(1), dy.size(1), dy.dtype());
    float* const sums = dBias.defined() ? scratchOf<float>(products.biasSums()) : nullptr;
    products.backwardWeight(dWeight, dataOrNull<float>(dBias), sums, dy, x);
}

void CudaBackend::groupedLinearActivationForward(Out y, Out before, const Tensor& x,
                                                 const Tensor& weight, const Tensor& bias,
                                                 const ExpertOffsets& offsets, Activation kind) {
    if (!areEven(offsets)) {
        GroupedProducts(stream(), onDevice(offsets)).forward(y, before, x, weight, bias, kind);
        return;
    }
    const LinearProducts products =
        evenProducts(offsets.host, weight.size(2), weight.size(1), x.dtype());
    const Tensor added = biasLike(y, bias);
    if (kind == Activation::GeluTanh && products.forwardGeluTanh(y, before, x, weight, added))
        return;
    const bool inOnePlace = y.raw() == before.raw();
    if (kind == Activation::Relu && inOnePlace && products.forwardRelu(y, x, weight, added)) return;
    products.forward(before, x, weight, added);
    activationForward(y, before, kind);
}

void CudaBackend::groupedLinearActivationBackwardData(Out dBefore, const Tensor& dy,
                                                      const Tensor& weight, const Tensor& before,
                                                      const ExpertOffsets& offsets,
                                                      Activation kind) {
    if (!areEven(offsets)) {
        GroupedProducts(stream(), onDevice(offsets))
            .backwardData(dBefore, dy, weight, before, kind);
        return;
    }
    const LinearProducts products =
        evenProducts(offsets.host, weight.size(2), weight.size(1), dy.dtype());
    if (kind == Activation::GeluTanh && products.backwardGeluTanh(dBefore, dy, weight, before))
        return;
    products.backwardData(dBefore, dy, weight);
    activationBackward(dBefore, dBefore, before, kind);
}

}  // namespace gpu
