// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/tensor/ignored_label.h"

#include <algorithm>
#include <string>

namespace core::cpu {
namespace {

void requireLabels(const Tensor& labels, std::int64_t classes) {
    for (const std::int64_t label : labels.span<std::int64_t>())
        CORE_CHECK(
            label == kIgnoredLabel || (label >= 0 && label < classes),
            "label " + std::to_string(label) + " of " + std::to_string(classes) + " classes");
}

/// Share of the smoothed one-hot target that every class has, and that the label has besides.
struct Target {
    float every;
    float label;
};

Target smoothed(float smoothing, std::int64_t classes) {
    return {smoothing / static_cast<float>(classes), 1.0F - smoothing};
}

/// each(r, logits of row r, label of row r) for every row.
template <typename F>
void forRows(const Tensor& logits, const Tensor& labels, const F& each) {
    const std::int64_t classes = logits.size(1);
    requireLabels(labels, classes);
    const auto* label = labels.data<std::int64_t>();
    parallelFor(logits.size(0), rowGrain(16 * classes),
                [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t r = begin; r < end; ++r)
                        each(r, logits.data<float>() + r * classes, label[r]);
                });
}

}  // namespace

void CpuBackend::softmaxCrossEntropyForward(Out loss, Out logSumExp, const Tensor& logits,
                                            const Tensor& labels, float labelSmoothing) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const auto of = [&](const float* row, std::int64_t label, float total) {
        float value = total - (1.0F - labelSmoothing) * row[label];
        if (labelSmoothing > 0.0F)
            value -= labelSmoothing *
                     static_cast<float>(k.sum(row, classes) / static_cast<double>(classes));
        return value;
    };
    forRows(logits, labels, [&](std::int64_t r, const float* row, std::int64_t label) {
        const float total = k.logSumExp(row, classes);
        logSumExp.data<float>()[r] = total;
        loss.data<float>()[r] = label == kIgnoredLabel ? 0.0F : of(row, label, total);
    });
}

void CpuBackend::softmaxCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                             const Tensor& logSumExp, const Tensor& labels,
                                             float labelSmoothing, float dLoss, float z) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const Target target = smoothed(labelSmoothing, classes);
    forRows(logits, labels, [&](std::int64_t r, const float* row, std::int64_t label) {
        float* into = dLogits.data<float>() + r * classes;
        if (label == kIgnoredLabel) {
            std::fill_n(into, classes, 0.0F);
            return;
        }
        const float total = logSumExp.data<float>()[r];
        std::fill_n(into, classes, -dLoss * target.every);
        k.expInto(into, row, total, dLoss * (1.0F + 2.0F * z * total), true, classes);
        into[label] -= dLoss * target.label;
    });
}

void CpuBackend::sigmoidCrossEntropyForward(Out loss, const Tensor& logits, const Tensor& labels,
                                            float labelSmoothing) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const Target target = smoothed(labelSmoothing, classes);
    forRows(logits, labels, [&](std::int64_t r, const float* row, std::int64_t label) {
        float& value = loss.data<float>()[r];
        value = 0.0F;
        if (label == kIgnoredLabel) return;
        const double all = k.binaryCrossEntropy(row, target.every, classes);
        value = static_cast<float>(all - static_cast<double>(target.label) *
                                             static_cast<double>(row[label]));
    });
}

void CpuBackend::sigmoidCrossEntropyBackward(Out dLogits, const Tensor& logits,
                                             const Tensor& labels, float labelSmoothing,
                                             float dLoss) {
    const Kernels& k = start();
    const std::int64_t classes = logits.size(1);
    const Target target = smoothed(labelSmoothing, classes);
    forRows(logits, labels, [&](std::int64_t r, const float* row, std::int64_t label) {
        float* into = dLogits.data<float>() + r * classes;
        if (label == kIgnoredLabel) {
            std::fill_n(into, classes, 0.0F);
            return;
        }
        k.binaryCrossEntropyBackward(into, row, target.every, dLoss, classes);
        into[label] -= dLoss * target.label;
    });
}

}  // namespace core::cpu
