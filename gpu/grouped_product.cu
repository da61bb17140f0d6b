// SPDX-License-Identifier: Apache-2.0
#include "gpu/device/grouped_product.cuh"
#include "gpu/grouped_product.h"
#include "gpu/packs.h"
#include "gpu/tensors.h"

namespace gpu {
namespace {

unsigned tiles(std::int64_t n) { return static_cast<unsigned>(divideUp(n, kTileSide)); }

/// Tiles of rows however they are divided among the experts (rowTile), by tiles of columns.
dim3 rowGrid(std::int64_t rows, std::int64_t experts, std::int64_t columns) {
    if (rows == 0) return dim3(0);
    return dim3(static_cast<unsigned>(rows / kTileSide + experts), tiles(columns));
}

ActivationKind deviceKind(core::Activation kind) {
    switch (kind) {
        case core::Activation::GeluErf:
            return ActivationKind::GeluErf;
        case core::Activation::GeluTanh:
            return ActivationKind::GeluTanh;
        case core::Activation::Relu:
            return ActivationKind::Relu;
        case core::Activation::Silu:
            return ActivationKind::Silu;
    }
    CORE_CHECK(false, "a known activation");
    return ActivationKind::Relu;
}

}  // namespace

void GroupedProducts::forward(const Tensor& y, const Tensor& x, const Tensor& weight,
                              const Tensor& bias) const {
    forward(y, {}, x, weight, bias, Activation::Relu);
}

void GroupedProducts::forward(const Tensor& y, const Tensor& before, const Tensor& x,
                              const Tensor& weight, const Tensor& bias, Activation kind) const {
    const ExpertRows experts{offsets_, weight.size(0)};
    const std::int64_t out = weight.size(1);
    withType(y.dtype(), [&]<typename T>() {
        launch(stream_, groupedForward<T>, rowGrid(x.size(0), experts.experts, out), kTileThreads,
               kTileSharedBytes<T>, data<T>(y), dataOrNull<T>(before), data<T>(x), data<T>(weight),
               dataOrNull<float>(bias), experts, weight.size(2), out, deviceKind(kind));
    });
}

void GroupedProducts::backwardData(const Tensor& dx, const Tensor& dy, const Tensor& weight) const {
    backwardData(dx, dy, weight, {}, Activation::Relu);
}

void GroupedProducts::backwardData(const Tensor& dBefore, const Tensor& dy, const Tensor& weight,
                                   const Tensor& before, Activation kind) const {
    const ExpertRows experts{offsets_, weight.size(0)};
    const std::int64_t in = weight.size(2);
    withType(dy.dtype(), [&]<typename T>() {
        launch(stream_, groupedBackwardData<T>, rowGrid(dy.size(0), experts.experts, in),
               kTileThreads, kTileSharedBytes<T>, data<T>(dBefore), data<T>(dy), data<T>(weight),
               dataOrNull<T>(before), experts, in, weight.size(1), deviceKind(kind));
    });
}

void GroupedProducts::backwardWeight(const Tensor& dWeight, const Tensor& dBias, const Tensor& dy,
                                     const Tensor& x) const {
    const ExpertRows experts{offsets_, dWeight.size(0)};
    const std::int64_t in = x.size(1);
    const std::int64_t out = dy.size(1);
    const dim3 grid(tiles(out), tiles(in), static_cast<unsigned>(experts.experts));
    withType(dy.dtype(), [&]<typename T>() {
        launch(stream_, groupedBackwardWeight<T>, grid, kTileThreads, kTileSharedBytes<T>,
               data<float>(dWeight), dataOrNull<float>(dBias), data<T>(dy), data<T>(x), experts, in,
               out);
    });
}

}  // namespace gpu
