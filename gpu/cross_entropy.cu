// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/ignored_label.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/bounds.cuh"
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

/// Share of the smoothed one-hot target that every class has, and that the label has besides.
struct Target {
    float every;
    float label;
};

Target smoothed(float smoothing, std::int64_t classes) {
    return {smoothing / static_cast<float>(classes), 1.0F - smoothing};
}

/// Threads of a row's block: one warp for few classes.
dim3 rowBlock(std::int64_t classes) { return dim3(classes <= 1024 ? 32 : 256); }
dim3 rowGrid(const core::Tensor& logits) { return dim3(static_cast<unsigned>(logits.size(0))); }
constexpr std::size_t kRowShared = kMostWarps * sizeof(float);

/// A block a row: the largest logit, then the sum of exponentials; nothing of the row is kept.
template <typename T, int N>
__global__ void softmaxLoss(float* loss, float* logSumExp, const T* logits,
                            const std::int64_t* labels, std::int64_t classes, float smoothing) {
    float* shared = blockShared<float>();
    const std::int64_t row = blockIdx.x;
    const T* x = logits + row * classes;
    float most = -INFINITY;
    float total = 0.0F;
    bool nan = false;
    forBlockPacks<N>(classes, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) {
            most = fmaxf(most, v.at[i]);
            nan = nan || v.at[i] != v.at[i];
            total += v.at[i];
        }
    });
    most = blockMax(most, shared);
    const bool anyNan = blockMax(nan ? 1.0F : 0.0F, shared) > 0.0F;
    const float all = blockSum(total, shared);
    float exponentials = 0.0F;
    forBlockPacks<N>(classes, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) exponentials += expf(v.at[i] - most);
    });
    exponentials = blockSum(exponentials, shared);
    if (threadIdx.x != 0) return;
    const float sum = anyNan ? NAN : fabsf(most) == INFINITY ? most : most + logf(exponentials);
    const std::int64_t label = labels[row];
    logSumExp[row] = sum;
    if (label == core::kIgnoredLabel) {
        loss[row] = 0.0F;
        return;
    }
    float value = sum - (1.0F - smoothing) * toFloat(x[withinBounds(label, classes)]);
    if (smoothing > 0.0F) value -= smoothing * (all / static_cast<float>(classes));
    loss[row] = value;
}

template <typename T, int N>
__global__ void softmaxLossBackward(T* dLogits, const T* logits, const float* logSumExp,
                                    const std::int64_t* labels, std::int64_t classes, Target target,
                                    float dLoss, float z) {
    const std::int64_t row = blockIdx.x;
    const T* x = logits + row * classes;
    const std::int64_t label = labels[row];
    const bool counts = label != core::kIgnoredLabel;
    const float sum = logSumExp[row];
    const float factor = dLoss * (1.0F + 2.0F * z * sum);
    forBlockPacks<N>(classes, [&](std::int64_t c) {
        auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) {
            float slope = expf(v.at[i] - sum) * factor - dLoss * target.every;
            if (c + i == label) slope -= dLoss * target.label;
            v.at[i] = counts ? slope : 0.0F;
        }
        storeFloats(dLogits + row * classes + c, v);
    });
}

template <typename T, int N>
__global__ void sigmoidLoss(float* loss, const T* logits, const std::int64_t* labels,
                            std::int64_t classes, Target target) {
    float* shared = blockShared<float>();
    const std::int64_t row = blockIdx.x;
    const T* x = logits + row * classes;
    const std::int64_t label = labels[row];
    if (label == core::kIgnoredLabel) {
        if (threadIdx.x == 0) loss[row] = 0.0F;
        return;
    }
    // What the label's class has besides is taken where its own terms are: no large number is
    // subtracted from the whole sum.
    float total = 0.0F;
    forBlockPacks<N>(classes, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) {
            const float share = target.every + (c + i == label ? target.label : 0.0F);
            total += fmaxf(v.at[i], 0.0F) - v.at[i] * share + log1pf(expf(-fabsf(v.at[i])));
        }
    });
    total = blockSum(total, shared);
    if (threadIdx.x == 0) loss[row] = total;
}

template <typename T, int N>
__global__ void sigmoidLossBackward(T* dLogits, const T* logits, const std::int64_t* labels,
                                    std::int64_t classes, Target target, float dLoss) {
    const std::int64_t row = blockIdx.x;
    const T* x = logits + row * classes;
    const std::int64_t label = labels[row];
    const bool counts = label != core::kIgnoredLabel;
    forBlockPacks<N>(classes, [&](std::int64_t c) {
        auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) {
            float slope = (1.0F / (1.0F + expf(-v.at[i])) - target.every) * dLoss;
            if (c + i == label) slope -= dLoss * target.label;
            v.at[i] = counts ? slope : 0.0F;
        }
        storeFloats(dLogits + row * classes + c, v);
    });
}

}  // namespace

void CudaBackend::softmaxCrossEntropyForward(core::Out loss, core::Out logSumExp,
                                             const core::Tensor& logits, const core::Tensor& labels,
                                             float labelSmoothing) {
    const std::int64_t classes = logits.size(1);
    indices_.require(labels, classes, true, IndexKind::Label);
    if (logits.size(0) == 0) return;
    withPacks(logits.dtype(), classes, {&logits}, [&]<typename T, int N>() {
        launch(stream(), softmaxLoss<T, N>, rowGrid(logits), rowBlock(classes), kRowShared,
               data<float>(loss), data<float>(logSumExp), data<T>(logits),
               data<std::int64_t>(labels), classes, labelSmoothing);
    });
}

void CudaBackend::softmaxCrossEntropyBackward(core::Out dLogits, const core::Tensor& logits,
                                              const core::Tensor& logSumExp,
                                              const core::Tensor& labels, float labelSmoothing,
                                              float dLoss, float z) {
    const std::int64_t classes = logits.size(1);
    indices_.require(labels, classes, true, IndexKind::Label);
    if (logits.size(0) == 0) return;
    withPacks(logits.dtype(), classes, {&dLogits, &logits}, [&]<typename T, int N>() {
        launch(stream(), softmaxLossBackward<T, N>, rowGrid(logits), rowBlock(classes), 0,
               data<T>(dLogits), data<T>(logits), data<float>(logSumExp),
               data<std::int64_t>(labels), classes, smoothed(labelSmoothing, classes), dLoss, z);
    });
}

void CudaBackend::sigmoidCrossEntropyForward(core::Out loss, const core::Tensor& logits,
                                             const core::Tensor& labels, float labelSmoothing) {
    const std::int64_t classes = logits.size(1);
    indices_.require(labels, classes, true, IndexKind::Label);
    if (logits.size(0) == 0) return;
    withPacks(logits.dtype(), classes, {&logits}, [&]<typename T, int N>() {
        launch(stream(), sigmoidLoss<T, N>, rowGrid(logits), rowBlock(classes), kRowShared,
               data<float>(loss), data<T>(logits), data<std::int64_t>(labels), classes,
               smoothed(labelSmoothing, classes));
    });
}

void CudaBackend::sigmoidCrossEntropyBackward(core::Out dLogits, const core::Tensor& logits,
                                              const core::Tensor& labels, float labelSmoothing,
                                              float dLoss) {
    const std::int64_t classes = logits.size(1);
    indices_.require(labels, classes, true, IndexKind::Label);
    if (logits.size(0) == 0) return;
    withPacks(logits.dtype(), classes, {&dLogits, &logits}, [&]<typename T, int N>() {
        launch(stream(), sigmoidLossBackward<T, N>, rowGrid(logits), rowBlock(classes), 0,
               data<T>(dLogits), data<T>(logits), data<std::int64_t>(labels), classes,
               smoothed(labelSmoothing, classes), dLoss);
    });
}

}  // namespace gpu
