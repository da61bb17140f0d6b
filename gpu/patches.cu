// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

struct Image {
    std::int64_t channels, height, width, patch;
};

/// A thread an element of the patches.
template <typename T>
__global__ void cutPatches(T* patches, const float* pixels, Image image, std::int64_t count) {
    const std::int64_t i = threadElement();
    if (i >= count) return;
    const std::int64_t side = image.patch;
    const std::int64_t across = image.width / side;
    const std::int64_t down = image.height / side;
    const std::int64_t inside = i % (image.channels * side * side);
    const std::int64_t p = i / (image.channels * side * side);
    const std::int64_t channel = inside / (side * side);
    const std::int64_t y = p / across % down * side + inside / side % side;
    const std::int64_t x = p % across * side + inside % side;
    const std::int64_t plane = p / (across * down) * image.channels + channel;
    patches[i] = fromFloat<T>(pixels[(plane * image.height + y) * image.width + x]);
}

template <typename T>
__global__ void addPositions(T* y, const T* patches, const float* cls, const float* positions,
                             std::int64_t batch, std::int64_t tokens, std::int64_t width) {
    const std::int64_t i = threadElement();
    if (i >= batch * tokens * width) return;
    const std::int64_t inside = i % (tokens * width);
    const std::int64_t image = i / (tokens * width);
    const float value = inside < width
                            ? cls[inside]
                            : toFloat(patches[image * (tokens - 1) * width + inside - width]);
    y[i] = fromFloat<T>(value + positions[inside]);
}

template <typename T>
__global__ void takePatches(T* dPatches, const T* dy, std::int64_t batch, std::int64_t tokens,
                            std::int64_t width) {
    const std::int64_t patches = (tokens - 1) * width;
    const std::int64_t i = threadElement();
    if (i < batch * patches) dPatches[i] = dy[i / patches * tokens * width + width + i % patches];
}

/// A thread a place in the image: its sum over the batch, blocks of images in float, in order.
template <typename T>
__global__ void addOverImages(float* dCls, float* dPositions, const T* dy, std::int64_t batch,
                              std::int64_t image, std::int64_t width) {
    constexpr std::int64_t kImages = 64;
    const std::int64_t i = threadElement();
    if (i >= image) return;
    double total = 0.0;
    for (std::int64_t top = 0; top < batch; top += kImages) {
        float part = 0.0F;
        for (std::int64_t b = top; b < batch && b < top + kImages; ++b)
            part += toFloat(dy[b * image + i]);
        total += static_cast<double>(part);
    }
    const float sum = static_cast<float>(total);
    dPositions[i] += sum;
    if (i < width) dCls[i] += sum;
}

}  // namespace

void CudaBackend::patchify(core::Out patches, const core::Tensor& pixels, std::int64_t patch) {
    if (patches.elements() == 0) return;
    withType(patches.dtype(), [&]<typename T>() {
        launch(stream(), cutPatches<T>, blocksFor(patches.elements()), dim3(kBlock), 0,
               data<T>(patches), data<float>(pixels),
               Image{pixels.size(1), pixels.size(2), pixels.size(3), patch}, patches.elements());
    });
}

void CudaBackend::embedForward(core::Out y, const core::Tensor& patches, const core::Tensor& cls,
                               const core::Tensor& positions) {
    if (y.elements() == 0) return;
    withType(y.dtype(), [&]<typename T>() {
        launch(stream(), addPositions<T>, blocksFor(y.elements()), dim3(kBlock), 0, data<T>(y),
               data<T>(patches), data<float>(cls), data<float>(positions), y.size(0), y.size(1),
               y.size(2));
    });
}

void CudaBackend::embedBackward(core::Out dPatches, core::InOut dCls, core::InOut dPositions,
                                const core::Tensor& dy) {
    const std::int64_t image = dy.size(1) * dy.size(2);
    if (dy.elements() == 0) return;
    withType(dy.dtype(), [&]<typename T>() {
        if (dPatches.elements() > 0)
            launch(stream(), takePatches<T>, blocksFor(dPatches.elements()), dim3(kBlock), 0,
                   data<T>(dPatches), data<T>(dy), dy.size(0), dy.size(1), dy.size(2));
        launch(stream(), addOverImages<T>, blocksFor(image), dim3(kBlock), 0, data<float>(dCls),
               data<float>(dPositions), data<T>(dy), dy.size(0), image, dy.size(2));
    });
}

}  // namespace gpu
