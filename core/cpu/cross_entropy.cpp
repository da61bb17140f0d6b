// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/tensor/convert.h"
#include "core/tensor/ignored_label.h"

#include <string>

namespace core::cpu {
namespace {

void requireLabels(const Tensor& labels, std::int64_t classes) {
    for (const std::int64_t label : labels.span<std::int64_t>())
        CORE_CHECK(
            label == kIgnoredLabel || (label >= 0 && label < classes),
            "label " + std::to_string(label) + " is not within 0 and " + std::to_string(classes));
}

/// Share of the smoothed one-hot target that every class has, and that the label has besides.
struct Shares {
    float every;
    float label;
};

Shares smoothed(float smoothing, std::int64_t classes) {
    return {smoothing / static_cast<float>(classes), 1.0F - smoothing};
}

float value(float x) { return x; }
float value(BFloat16 x) { return bf16ToFloat(x.bits); }

/// each(r, logits of row r, label of row r) for every row.
template <typename T, typename F>
void forRows(const Tensor& logits, const Tensor& labels, const F& each) {
    const std::int64_t classes = logits.size(1);
    requireLabels(labels, classes);
    const auto* label = labels.data<std::int64_t>();
    parallelFor(logits.size(0), rowGrain(16 * classes),
                [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t r = begin; r < end; ++r)
                        each(r, logits.data<T>() + r * classes, label[r]);
                });
}

}  // namespace

void CpuBackend::softmaxCrossEntropyForward(Out loss, Out logSumExp, const Tensor& logits,
                                            const Tensor& labels, float labelSmoothing) {
    const Kernels& kernels = start();
    const std::int64_t classes = logits.size(1);
    withElements(logits.dtype(), [&]<typename T>() {
        const ElementKernels<T>& k = kernels.of<T>();
        const auto of = [&](const T* row, std::int64_t label, float total) {
            float result = total - (1.0F - labelSmoothing) * value(row[label]);
            if (labelSmoothing > 0.0F)
                result -= labelSmoothing *
                          static_cast<float>(k.sum(row, classes) / static_cast<double>(classes));
            return result;
        };
        forRows<T>(logits, labels, [&](std::int64_t r, const T* row, std::int64_t label) {
            const float total = k.logSumExp(row, classes);
            logSumExp.data<float>()[r] = total;
            loss.data<float>()[r] = label == kIgnoredLabel ? 0.0F : of(row, label, total);
        });
    });
}

void CpuBackend::softmaxCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                             const Tensor& logSumExp, const Tensor& labels,
                                             float labelSmoothing, float dLoss, float z) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const Shares shares = smoothed(labelSmoothing, classes);
    withElements(logits.dtype(), [&]<typename T>() {
        forRows<T>(logits, labels, [&](std::int64_t r, const T* row, std::int64_t label) {
            T* into = dLogits.data<T>() + r * classes;
            if (label == kIgnoredLabel) {
                setZero(into, classes);
                return;
            }
            const float total = logSumExp.data<float>()[r];
            k.of<T>().crossEntropyBackward(into, row,
                                           {.label = label,
                                            .every = dLoss * shares.every,
                                            .atLabel = dLoss * shares.label,
                                            .factor = dLoss * (1.0F + 2.0F * z * total),
                                            .shift = total},
                                           classes);
        });
    });
}

void CpuBackend::sigmoidCrossEntropyForward(Out loss, const Tensor& logits, const Tensor& labels,
                                            float labelSmoothing) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const Shares shares = smoothed(labelSmoothing, classes);
    withElements(logits.dtype(), [&]<typename T>() {
        forRows<T>(logits, labels, [&](std::int64_t r, const T* row, std::int64_t label) {
            float& into = loss.data<float>()[r];
            into = 0.0F;
            if (label == kIgnoredLabel) return;
            const double all = k.of<T>().binaryCrossEntropy(row, shares.every, classes);
            into = static_cast<float>(all - static_cast<double>(shares.label) *
                                                static_cast<double>(value(row[label])));
        });
    });
}

void CpuBackend::sigmoidCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                             const Tensor& labels, float labelSmoothing,
                                             float dLoss) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const Shares shares = smoothed(labelSmoothing, classes);
    withElements(logits.dtype(), [&]<typename T>() {
        forRows<T>(logits, labels, [&](std::int64_t r, const T* row, std::int64_t label) {
            T* into = dLogits.data<T>() + r * classes;
            if (label == kIgnoredLabel) {
                setZero(into, classes);
                return;
            }
            k.of<T>().binaryCrossEntropyBackward(into, row,
                                                 {.label = label,
                                                  .every = shares.every,
                                                  .atLabel = dLoss * shares.label,
                                                  .factor = dLoss,
                                                  .shift = 0.0F},
                                                 classes);
        });
    });
}

}  // namespace core::cpu
