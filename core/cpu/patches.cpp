// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

#include <algorithm>

namespace core::cpu {

void CpuBackend::patchify(Out patches, const Tensor& pixels, std::int64_t patch) {
    start();
    const std::int64_t channels = pixels.size(1);
    const std::int64_t height = pixels.size(2);
    const std::int64_t width = pixels.size(3);
    const std::int64_t down = height / patch;
    const std::int64_t across = width / patch;
    const float* from = pixels.data<float>();
    float* into = patches.data<float>();
    parallelFor(
        patches.size(0), rowGrain(patches.size(1)), [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t p = begin; p < end; ++p) {
                const std::int64_t image = p / (down * across);
                const std::int64_t top = p / across % down * patch;
                const std::int64_t left = p % across * patch;
                float* row = into + p * channels * patch * patch;
                for (std::int64_t c = 0; c < channels; ++c)
                    for (std::int64_t y = top; y < top + patch; ++y, row += patch)
                        std::copy_n(from + ((image * channels + c) * height + y) * width + left,
                                    patch, row);
            }
        });
}

void CpuBackend::embedForward(Out y, const Tensor& patches, const Tensor& cls,
                              const Tensor& positions) {
    const Kernels& k = start();
    const std::int64_t tokens = y.size(1);
    const std::int64_t width = y.size(2);
    const float* place = positions.data<float>();
    const float* from = patches.data<float>();
    float* into = y.data<float>();
    parallelFor(y.size(0), rowGrain(tokens * width),
                [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t b = begin; b < end; ++b) {
                        float* image = into + b * tokens * width;
                        k.add(image, cls.data<float>(), place, width);
                        k.add(image + width, from + b * (tokens - 1) * width, place + width,
                              (tokens - 1) * width);
                    }
                });
}

void CpuBackend::embedBackward(Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) {
    const Kernels& k = start();
    const std::int64_t images = dy.size(0);
    const std::int64_t tokens = dy.size(1);
    const std::int64_t width = dy.size(2);
    const float* slopes = dy.data<float>();
    float* into = dPatches.data<float>();
    parallelFor(images, rowGrain(tokens * width), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t b = begin; b < end; ++b)
            std::copy_n(slopes + (b * tokens + 1) * width, (tokens - 1) * width,
                        into + b * (tokens - 1) * width);
    });
    std::vector<float> sums(static_cast<std::size_t>(tokens * width), 0.0F);
    addColumnSums(k, sums.data(), slopes, images, tokens * width);
    k.axpy(dPositions.data<float>(), sums.data(), 1.0F, tokens * width);
    k.axpy(dCls.data<float>(), sums.data(), 1.0F, width);
}

}  // namespace core::cpu
