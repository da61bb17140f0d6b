// SPDX-License-Identifier: Apache-2.0
#include "core/ops/assignment.h"
#include "core/ops/attention.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/dropout.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/layer_norm.h"
#include "core/ops/linear.h"
#include "core/ops/memory.h"
#include "core/ops/moe.h"
#include "core/ops/optimizer.h"
#include "core/ops/patches.h"
#include "core/ops/rms_norm.h"
#include "core/ops/rows.h"
#include "core/ops/softmax.h"
#include "tests/ops/parity.h"

namespace {

using core::Tensor;
namespace ops = core::ops;

/// One type of activations within a call, and F32 for all the rest: anything else is refused in
/// words, the same on every backend.
class Mixtures : public parity::OpsTest {
  protected:
    Tensor bf16(core::Shape shape) {
        return ops::toDevice(backend(), Tensor::zeros(std::move(shape), core::DType::BF16));
    }
};

TEST_P(Mixtures, OneTypeOfActivationsInACall) {
    core::Backend& b = backend();
    const Tensor x = output({4, 6});
    const Tensor other = ofOtherType({4, 6});
    const Tensor six = f32Output({6});
    const Tensor four = f32Output({4});
    const core::Assignment a =
        ops::makeAssignment(4, std::vector<std::vector<std::int32_t>>{{0, 1, 2, 3}});
    expectRefusal([&] { ops::add(b, x, x, other); }, "[add] b is");
    expectRefusal([&] { ops::multiply(b, other, x, x); }, "[multiply] y is");
    expectRefusal([&] { ops::accumulate(b, other, x); }, "[accumulate] y is");
    expectRefusal([&] { ops::dropout(b, other, x, 0.5F, 1); }, "[dropout] y is");
    expectRefusal([&] { ops::layerNormForward(b, other, four, four, x, six, six, 1e-6F); },
                  "[layerNormForward] y is");
    expectRefusal([&] { ops::layerNormBackward(b, x, six, six, other, x, four, four, six); },
                  "[layerNormBackward] dy is");
    expectRefusal([&] { ops::rmsNormForward(b, other, four, x, six, 1e-6F); },
                  "[rmsNormForward] y is");
    expectRefusal([&] { ops::rmsNormBackward(b, other, six, x, x, four, six); },
                  "[rmsNormBackward] dx is");
    expectRefusal(
        [&] {
            ops::attentionForward(b, x, f32Output({1, 1, 4}), x, other, x, {1, 1, 4, 4, 6, 1.0F});
        },
        "[attentionForward] k is");
    expectRefusal([&] { ops::dispatchForward(b, other, x, a); }, "[dispatchForward] slots is");
    expectRefusal([&] { ops::dispatchBackward(b, other, x, a); }, "[dispatchBackward] dx is");
    expectRefusal([&] { ops::combineForward(b, other, x, four, a); }, "[combineForward] y is");
    expectRefusal([&] { ops::combineBackward(b, x, four, other, x, four, a); },
                  "[combineBackward] dy is");
    expectRefusal(
        [&] {
            ops::firstRowsForward(b, other, output({4, 2, 6}));
        },
        "[firstRowsForward] y is");
    expectRefusal(
        [&] {
            ops::embedForward(b, output({2, 3, 6}), other, six, f32Output({3, 6}));
        },
        "[embedForward] patches is");
    expectRefusal(
        [&] {
            ops::softmaxCrossEntropyBackward(b, other, x, four, labels({0, 1, 2, 3}), 0.0F, 1.0F);
        },
        "[softmaxCrossEntropyBackward] dLogits is");
}

TEST_P(Mixtures, ParametersStatisticsAndRouterAreF32) {
    core::Backend& b = backend();
    const Tensor x = output({4, 6});
    const Tensor six = f32Output({6});
    const Tensor four = f32Output({4});
    const core::Assignment a =
        ops::makeAssignment(4, std::vector<std::vector<std::int32_t>>{{0, 1, 2, 3}});
    expectRefusal(
        [&] {
            ops::linearForward(b, output({4, 3}), x, output({3, 6}), bf16({3}));
        },
        "[linearForward] bias is BF16 [3], expected F32 [3]");
    expectRefusal(
        [&] {
            ops::linearBackwardWeight(b, bf16({3, 6}), {}, output({4, 3}), x);
        },
        "[linearBackwardWeight] dWeight is BF16 [3, 6], expected F32 [3, 6]");
    expectRefusal(
        [&] {
            const std::vector<std::int64_t> offsets{0, 4};
            ops::groupedLinearBackwardWeight(b, f32Output({1, 3, 6}), bf16({1, 3}), output({4, 3}),
                                             x, offsets);
        },
        "[groupedLinearBackwardWeight] dBias is BF16");
    expectRefusal([&] { ops::layerNormForward(b, x, four, four, x, bf16({6}), six, 1e-6F); },
                  "[layerNormForward] gamma is BF16 [6], expected F32 [6]");
    expectRefusal([&] { ops::rmsNormForward(b, x, bf16({4}), x, six, 1e-6F); },
                  "[rmsNormForward] rstd is BF16 [4], expected F32 [4]");
    expectRefusal(
        [&] {
            ops::embeddingForward(b, f32Output({4, 6}), labels({0, 1, 0, 1}), bf16({2, 6}));
        },
        "[embeddingForward] y is F32 [4, 6], expected BF16 [4, 6]");
    expectRefusal(
        [&] {
            ops::patchify(b, output({4, 1}), bf16({1, 1, 2, 2}), 1);
        },
        "[patchify] pixels is BF16");
    expectRefusal([&] { ops::combineForward(b, x, x, bf16({4}), a); },
                  "[combineForward] weights is BF16 [4], expected F32 [4]");
    expectRefusal(
        [&] {
            ops::softmaxCrossEntropyForward(b, bf16({4}), four, x, labels({0, 1, 2, 3}), 0.0F);
        },
        "[softmaxCrossEntropyForward] loss is BF16");
    expectRefusal(
        [&] {
            core::AttentionOptions options;
            options.bias = bf16({1, 4, 4});
            ops::attentionForward(b, x, f32Output({1, 1, 4}), x, x, x, {1, 1, 4, 4, 6, 1.0F},
                                  options);
        },
        "[attentionForward] bias is BF16");
    expectRefusal(
        [&] {
            ops::softmaxForward(b, bf16({4, 6}), bf16({4, 6}));
        },
        "[softmaxForward] x is BF16");
    expectRefusal([&] { ops::adamwStep(b, bf16({6}), six, six, six, six, {}); },
                  "[adamwStep] weight is BF16 [6], expected F32");
    expectRefusal([&] { ops::adamwStep(b, six, six, six, bf16({6}), six, {}); },
                  "[adamwStep] gradient is BF16");
}

PARITY_SUITE(Mixtures);

}  // namespace
