// SPDX-License-Identifier: Apache-2.0
#include "core/ops/activation.h"
#include "core/ops/attention.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/dropout.h"
#include "core/ops/embedding.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/layer_norm.h"
#include "core/ops/linear.h"
#include "core/ops/moe.h"
#include "core/ops/optimizer.h"
#include "core/ops/patches.h"
#include "core/ops/reduce.h"
#include "core/ops/relative_bias.h"
#include "core/ops/rms_norm.h"
#include "core/ops/routing.h"
#include "core/ops/softmax.h"
#include "tests/ops/parity.h"

#include <functional>

namespace {

using core::Assignment;
using core::Tensor;
using parity::Values;
using Outputs = std::vector<Tensor>;

constexpr std::int64_t kRows = 1283;
constexpr std::int64_t kIn = 96;
constexpr std::int64_t kOut = 200;
const std::vector<std::int64_t> kOffsets{0, 400, 400, 999, kRows};

/// The same call twice gives the same bits, threads and all: training resumes to the last bit.
class Repeatability : public parity::OpsTest {
  protected:
    Tensor random(core::Shape shape, std::uint64_t seed) {
        const std::int64_t n = shape.elements();
        return tensor(std::move(shape), parity::randomValues(n, seed));
    }
    Tensor randomF32(core::Shape shape, std::uint64_t seed) {
        const std::int64_t n = shape.elements();
        return f32(std::move(shape), parity::randomValues(n, seed));
    }
    Tensor zeros(core::Shape shape) {
        const auto n = static_cast<std::size_t>(shape.elements());
        return f32(std::move(shape), Values(n, 0.0));
    }
    void expectSame(const std::function<Outputs()>& run) {
        const Outputs first = run();
        const Outputs second = run();
        ASSERT_EQ(first.size(), second.size());
        for (std::size_t i = 0; i < first.size(); ++i)
            EXPECT_EQ(bytesOf(first[i]), bytesOf(second[i])) << "output " << i;
    }
};

TEST_P(Repeatability, Linear) {
    const Tensor x = random({kRows, kIn}, 1);
    const Tensor weight = random({kOut, kIn}, 2);
    const Tensor bias = randomF32({kOut}, 3);
    const Tensor dy = random({kRows, kOut}, 4);
    expectSame([&] {
        Outputs out{output({kRows, kOut}), output({kRows, kIn}),  zeros({kOut, kIn}),
                    zeros({kOut}),         output({kRows, kOut}), output({kRows, kOut}),
                    output({kRows, kIn})};
        core::ops::linearForward(backend(), out[0], x, weight, bias);
        core::ops::linearBackwardData(backend(), out[1], dy, weight);
        core::ops::linearBackwardWeight(backend(), out[2], out[3], dy, x);
        core::ops::linearActivationForward(backend(), out[4], out[5], x, weight, bias,
                                           core::Activation::GeluErf);
        core::ops::linearActivationBackwardData(backend(), out[6], dy, weight, x,
                                                core::Activation::GeluErf);
        return out;
    });
}

TEST_P(Repeatability, GroupedLinear) {
    const Tensor x = random({kRows, kIn}, 1);
    const Tensor weight = random({4, kOut, kIn}, 2);
    const Tensor bias = randomF32({4, kOut}, 3);
    const Tensor dy = random({kRows, kOut}, 4);
    expectSame([&] {
        Outputs out{output({kRows, kOut}), output({kRows, kIn}),  zeros({4, kOut, kIn}),
                    zeros({4, kOut}),      output({kRows, kOut}), output({kRows, kOut}),
                    output({kRows, kIn})};
        core::ops::groupedLinearForward(backend(), out[0], x, weight, bias, kOffsets);
        core::ops::groupedLinearBackwardData(backend(), out[1], dy, weight, kOffsets);
        core::ops::groupedLinearBackwardWeight(backend(), out[2], out[3], dy, x, kOffsets);
        core::ops::groupedLinearActivationForward(backend(), out[4], out[5], x, weight, bias,
                                                  kOffsets, core::Activation::Relu);
        core::ops::groupedLinearActivationBackwardData(backend(), out[6], dy, weight, x, kOffsets,
                                                       core::Activation::Relu);
        return out;
    });
}

TEST_P(Repeatability, NormsActivationsAndAttention) {
    const Tensor x = random({kRows, kIn}, 1);
    const Tensor dy = random({kRows, kIn}, 2);
    const Tensor gamma = randomF32({kIn}, 3);
    const Tensor logits = randomF32({kRows, kIn}, 4);
    const core::AttentionShape shape{1, 3, kRows, kRows, 32, 0.2F};
    expectSame([&] {
        Outputs out;
        for (int i = 0; i < 8; ++i) out.push_back(output({kRows, kIn}));
        out.push_back(f32Output({kRows, kIn}));
        out.push_back(f32Output({kRows}));
        out.push_back(f32Output({kRows}));
        out.push_back(zeros({kIn}));
        out.push_back(zeros({kIn}));
        out.push_back(f32Output({1, 3, kRows}));
        for (int i = 0; i < 3; ++i) out.push_back(output({kRows, kIn}));
        core::ops::layerNormForward(backend(), out[0], out[9], out[10], x, gamma, gamma, 1e-6F);
        core::ops::layerNormBackward(backend(), out[1], out[11], out[12], dy, x, out[9], out[10],
                                     gamma);
        core::ops::activationForward(backend(), out[2], x, core::Activation::GeluErf);
        core::ops::activationBackward(backend(), out[3], dy, x, core::Activation::GeluErf);
        core::ops::attentionForward(backend(), out[4], out[13], x, dy, x, shape);
        core::ops::attentionBackward(backend(), out[5], out[6], out[7], {}, dy, x, dy, x, out[4],
                                     out[13], shape);
        core::ops::softmaxForward(backend(), out[8], logits);
        core::ops::gatedActivationForward(backend(), out[14], x, dy, core::Activation::GeluTanh);
        core::ops::gatedActivationBackward(backend(), out[15], out[16], dy, x, dy,
                                           core::Activation::GeluTanh);
        return out;
    });
}

TEST_P(Repeatability, OpsOfAnEncoderDecoder) {
    constexpr std::int64_t kTokens = 4 * 70;
    const core::AttentionShape shape{4, 3, 70, 70, 32, 1.0F};
    const Tensor x = random({kTokens, kIn}, 1);
    const Tensor dy = random({kTokens, kIn}, 2);
    const Tensor gamma = randomF32({kIn}, 3);
    const Tensor table = randomF32({32, 3}, 4);
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < kTokens; ++i) ids.push_back(i * i % 17);
    std::vector<std::uint8_t> seen;
    for (std::int64_t i = 0; i < kTokens; ++i) seen.push_back(i % 70 < 50 ? 1 : 0);
    core::AttentionOptions options;
    options.keyMask = mask(seen).view({4, 70});
    options.causal = true;
    options.dropout = 0.1F;
    options.dropoutKey = 5;
    expectSame([&] {
        Outputs out;
        for (int i = 0; i < 7; ++i) out.push_back(output({kTokens, kIn}));
        for (const core::Shape& sums : {core::Shape{3, 70, 70}, {32, 3}, {17, kIn}, {kIn}})
            out.push_back(zeros(sums));
        const Tensor rstd = f32Output({kTokens});
        const Tensor logSumExp = f32Output({4, 3, 70});
        options.bias = f32Output({3, 70, 70});
        core::ops::rmsNormForward(backend(), out[0], rstd, x, gamma, 1e-6F);
        core::ops::rmsNormBackward(backend(), out[1], out[10], dy, x, rstd, gamma);
        core::ops::dropout(backend(), out[2], x, 0.3F, 9);
        core::ops::relativeBiasForward(backend(), options.bias, table, {});
        core::ops::attentionForward(backend(), out[3], logSumExp, x, dy, x, shape, options);
        core::ops::attentionBackward(backend(), out[4], out[5], out[6], out[7], dy, x, dy, x,
                                     out[3], logSumExp, shape, options);
        core::ops::relativeBiasBackward(backend(), out[8], out[7], {});
        core::ops::embeddingBackward(backend(), out[9], dy, labels(ids));
        return out;
    });
}

TEST_P(Repeatability, RoutingAndCombining) {
    const Tensor logits = randomF32({kRows, 8}, 1);
    const Tensor x = random({kRows, kIn}, 2);
    const Tensor dy = random({kRows, kIn}, 3);
    expectSame([&] {
        const core::RoutingGroups groups{{0, kRows}, {}};
        const Tensor p = f32Output({kRows, 8});
        core::ops::softmaxForward(backend(), p, logits);
        const Assignment a = core::ops::expertChoice(backend(), p, groups, 2.0);
        const std::int64_t slots = a.slots();
        Outputs out{p,
                    a.slotToken,
                    f32Output({slots}),
                    f32Output({kRows}),
                    output({slots, kIn}),
                    output({kRows, kIn}),
                    output({slots, kIn}),
                    f32Output({slots}),
                    output({kRows, kIn}),
                    zeros({kRows, 8})};
        core::ops::combineWeightsForward(backend(), out[2], out[3], p, a, false, true);
        core::ops::dispatchForward(backend(), out[4], x, a);
        core::ops::combineForward(backend(), out[5], out[4], out[2], a);
        core::ops::combineBackward(backend(), out[6], out[7], dy, out[4], out[2], a);
        core::ops::dispatchBackward(backend(), out[8], out[6], a);
        core::ops::combineWeightsBackward(backend(), out[9], out[7], out[2], out[3], p, a, false,
                                          true);
        core::ops::zLossBackward(backend(), out[9], logits, {}, 0.1F);
        return out;
    });
    const auto zLoss = [&](core::Out loss) {
        core::ops::zLossForward(backend(), loss, logits, {});
    };
    EXPECT_EQ(number(zLoss), number(zLoss));
}

TEST_P(Repeatability, LossesReductionsAndOptimizers) {
    const Tensor logits = random({kRows, 101}, 1);
    const Tensor gradient = randomF32({300, 200}, 2);
    std::vector<std::int64_t> classes;
    for (std::int64_t r = 0; r < kRows; ++r) classes.push_back(r % 101);
    const Tensor target = labels(classes);
    expectSame([&] {
        Outputs out{f32Output({kRows}),       f32Output({kRows}), output({kRows, 101}),
                    randomF32({300, 200}, 3), zeros({300, 200}),  zeros({300, 200}),
                    randomF32({300, 200}, 3), zeros({1, 300}),    zeros({1, 200}),
                    output({64, 4, kIn}),     zeros({kIn}),       zeros({5, kIn})};
        core::ops::softmaxCrossEntropyForward(backend(), out[0], out[1], logits, target, 0.1F);
        core::ops::softmaxCrossEntropyBackward(backend(), out[2], logits, out[1], target, 0.1F,
                                               0.01F);
        core::ops::adamwStep(backend(), out[3], out[4], out[5], gradient, f32({1}, {1.0}), {});
        core::AdafactorArgs args;
        args.rows = 300;
        args.columns = 200;
        args.factored = true;
        core::ops::adafactorStep(backend(), out[6], out[7], out[8], {}, gradient, f32({1}, {1.0}),
                                 args);
        const Tensor dy = random({64, 5, kIn}, 4);
        core::ops::embedBackward(backend(), out[9].view({256, kIn}), out[10], out[11], dy);
        return out;
    });
    const auto sum = [&](core::Out into) { core::ops::sum(backend(), into, gradient); };
    EXPECT_EQ(number(sum), number(sum));
    const auto squares = [&](core::Out into) {
        core::ops::sumOfSquares(backend(), into, std::vector{gradient, gradient});
    };
    EXPECT_EQ(number(squares), number(squares));
}

PARITY_SUITE(Repeatability);

}  // namespace
