// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

#include <algorithm>
#include <vector>

namespace core::cpu {

void CpuBackend::patchify(Out patches, const Tensor& pixels, std::int64_t patch) {
    const Kernels& k = start();
    const std::int64_t channels = pixels.size(1);
    const std::int64_t height = pixels.size(2);
    const std::int64_t width = pixels.size(3);
    const std::int64_t down = height / patch;
    const std::int64_t across = width / patch;
    const float* from = pixels.data<float>();
    withElements(patches.dtype(), [&]<typename T>() {
        const auto copyRow = k.of<T>().fromFloats;
        parallelFor(patches.size(0), rowGrain(patches.size(1)),
                    [&](std::int64_t begin, std::int64_t end, int) {
                        for (std::int64_t p = begin; p < end; ++p) {
                            const std::int64_t image = p / (down * across);
                            const std::int64_t top = p / across % down * patch;
                            const std::int64_t left = p % across * patch;
                            T* row = patches.data<T>() + p * channels * patch * patch;
                            for (std::int64_t c = 0; c < channels; ++c)
                                for (std::int64_t y = top; y < top + patch; ++y, row += patch)
                                    copyRow(
                                        row,
                                        from + ((image * channels + c) * height + y) * width + left,
                                        patch);
                        }
                    });
    });
}

void CpuBackend::embedForward(Out y, const Tensor& patches, const Tensor& cls,
                              const Tensor& positions) {
    const Kernels& kernels = start();
    const std::int64_t tokens = y.size(1);
    const std::int64_t width = y.size(2);
    const float* place = positions.data<float>();
    std::vector<float> first(static_cast<std::size_t>(width));
    kernels.f32.add(first.data(), cls.data<float>(), place, width);
    withElements(y.dtype(), [&]<typename T>() {
        const ElementKernels<T>& k = kernels.of<T>();
        parallelFor(y.size(0), rowGrain(tokens * width),
                    [&](std::int64_t begin, std::int64_t end, int) {
                        for (std::int64_t b = begin; b < end; ++b) {
                            T* image = y.data<T>() + b * tokens * width;
                            k.fromFloats(image, first.data(), width);
                            k.addFloats(image + width, patches.data<T>() + b * (tokens - 1) * width,
                                        place + width, (tokens - 1) * width);
                        }
                    });
    });
}

void CpuBackend::embedBackward(Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) {
    const Kernels& k = start();
    const std::int64_t images = dy.size(0);
    const std::int64_t tokens = dy.size(1);
    const std::int64_t width = dy.size(2);
    std::vector<float> sums(static_cast<std::size_t>(tokens * width), 0.0F);
    withElements(dy.dtype(), [&]<typename T>() {
        const T* slopes = dy.data<T>();
        T* into = dPatches.data<T>();
        parallelFor(images, rowGrain(tokens * width),
                    [&](std::int64_t begin, std::int64_t end, int) {
                        for (std::int64_t b = begin; b < end; ++b)
                            std::copy_n(slopes + (b * tokens + 1) * width, (tokens - 1) * width,
                                        into + b * (tokens - 1) * width);
                    });
        addColumnSums(k, sums.data(), slopes, images, tokens * width);
    });
    k.f32.axpy(dPositions.data<float>(), sums.data(), 1.0F, tokens * width);
    k.f32.axpy(dCls.data<float>(), sums.data(), 1.0F, width);
}

}  // namespace core::cpu
