// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"
#include "core/cpu/cpu_backend.h"
#include "core/ops/attention.h"
#include "core/ops/dropout.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/memory.h"
#include "core/ops/moe.h"
#include "core/ops/routing.h"
#include "gpu/cuda_backend.h"
#include "tests/ops/exact_assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using core::Assignment;
using core::AttentionOptions;
using core::AttentionShape;
using core::Backend;
using core::Tensor;
using core::TopKPlacement;

/// The kernels of the CUDA backend, run on the host, against the CPU backend, which the parity
/// suite holds to the definitions: sizes of many blocks, for which differences would take too long.
class AgainstCpu : public testing::Test {
  protected:
    static Tensor random(const core::Shape& shape, std::uint64_t seed) {
        Tensor t = Tensor::host(shape);
        core::CounterRandom(core::hashName(seed, "against the CPU")).normals(0, t.span<float>());
        return t;
    }
    static Tensor randomMask(const core::Shape& shape, std::uint64_t seed) {
        Tensor t = Tensor::host(shape, core::DType::U8);
        const core::CounterRandom words(core::hashName(seed, "mask"));
        std::uint64_t i = 0;
        for (std::uint8_t& shown : t.span<std::uint8_t>())
            shown = words.uniform(i++) < 0.8F ? 1 : 0;
        return t;
    }

    std::unique_ptr<Backend> cpu_ = core::makeCpuBackend(2);
    std::unique_ptr<Backend> cuda_ = gpu::makeCudaBackend(0);
};

std::vector<std::byte> bytesOf(Backend& backend, const Tensor& t) {
    const Tensor host = core::ops::readable(backend, t);
    backend.synchronize();
    return {host.rawSpan().begin(), host.rawSpan().end()};
}

struct AttentionCase {
    AttentionShape shape;
    bool bias = false, mask = false, causal = false;
    std::int64_t queryOffset = 0;
    float dropout = 0.0F;
};

/// o, logSumExp, dq, dk, dv, dBias.
std::vector<Tensor> attend(Backend& backend, const AttentionCase& c, const Tensor& q,
                           const Tensor& k, const Tensor& v, const Tensor& dOut, const Tensor& bias,
                           const Tensor& mask) {
    const AttentionShape& s = c.shape;
    const auto on = [&](const Tensor& host) { return core::ops::toDevice(backend, host); };
    const auto like = [&](const Tensor& host) { return on(Tensor::zeros(host.shape())); };
    AttentionOptions options;
    if (c.bias) options.bias = on(bias);
    if (c.mask) options.keyMask = on(mask);
    options.causal = c.causal;
    options.queryOffset = c.queryOffset;
    options.dropout = c.dropout;
    options.dropoutKey = 77;
    std::vector<Tensor> out{like(q), on(Tensor::zeros({s.batch, s.heads, s.queries})),
                            like(q), like(k),
                            like(v), c.bias ? like(bias) : Tensor()};
    core::ops::attentionForward(backend, out[0], out[1], on(q), on(k), on(v), s, options);
    core::ops::attentionBackward(backend, out[2], out[3], out[4], out[5], on(dOut), on(q), on(k),
                                 on(v), out[0], out[1], s, options);
    return out;
}

TEST_F(AgainstCpu, AttentionOverManyTiles) {
    for (const AttentionCase& c :
         {AttentionCase{{2, 2, 150, 170, 8, 0.3F}, true, true, false, 0, 0.0F},
          AttentionCase{{2, 1, 200, 200, 33, 0.2F}, true, false, true, 0, 0.1F},
          AttentionCase{{1, 2, 90, 150, 64, 0.125F}, false, true, true, 60, 0.2F},
          AttentionCase{{2, 1, 70, 101, 100, 0.1F}, true, true, true, 31, 0.0F},
          AttentionCase{{2, 1, 65, 67, 130, 0.1F}, true, true, true, 5, 0.3F},
          AttentionCase{{1, 1, 10, 300, 64, 0.125F}, false, false, false, 0, 0.0F}}) {
        const AttentionShape& s = c.shape;
        const std::int64_t width = s.heads * s.headDim;
        const Tensor q = random({s.batch * s.queries, width}, 1);
        const Tensor k = random({s.batch * s.keys, width}, 2);
        const Tensor v = random({s.batch * s.keys, width}, 3);
        const Tensor dOut = random({s.batch * s.queries, width}, 4);
        const Tensor bias = random({s.heads, s.queries, s.keys}, 5);
        const Tensor mask = randomMask({s.batch, s.keys}, 6);
        const auto expected = attend(*cpu_, c, q, k, v, dOut, bias, mask);
        const auto found = attend(*cuda_, c, q, k, v, dOut, bias, mask);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            if (!expected[i].defined()) continue;
            const Tensor host = core::ops::readable(*cuda_, found[i]);
            cuda_->synchronize();
            float largest = 0.0F;
            float difference = 0.0F;
            for (std::int64_t j = 0; j < host.elements(); ++j) {
                const float wanted = expected[i].data<float>()[j];
                largest = std::max(largest, std::abs(wanted));
                const float apart = std::abs(host.data<float>()[j] - wanted);
                ASSERT_TRUE(std::isfinite(apart)) << "output " << i;
                difference = std::max(difference, apart);
            }
            EXPECT_LE(difference, 1e-5F * largest)
                << "output " << i << " of heads of " << s.headDim;
        }
    }
}

TEST_F(AgainstCpu, DropoutKeepsTheSameElements) {
    const Tensor x = random({70001}, 1);
    const Tensor expected = Tensor::zeros({70001});
    core::ops::dropout(*cpu_, expected, x, 0.3F, 0xFEDCBA9876543210ULL);
    const Tensor found = core::ops::toDevice(*cuda_, x);
    core::ops::dropout(*cuda_, found, found, 0.3F, 0xFEDCBA9876543210ULL);
    EXPECT_EQ(bytesOf(*cuda_, found), bytesOf(*cpu_, expected));
}

class RoutingAgainstCpu : public AgainstCpu {
  protected:
    /// Half of the values on a coarse grid: many ties.
    Tensor scores(std::int64_t experts) {
        Tensor t = random({kTokens, experts}, 9);
        for (std::int64_t i = 0; i < t.elements(); i += 2)
            t.data<float>()[i] = std::round(t.data<float>()[i] * 8.0F) / 8.0F;
        return t;
    }
    static core::RoutingGroups groups(Backend& backend, std::int64_t third = 6000) {
        return {{0, 3, 3, third, kTokens}, core::ops::toDevice(backend, randomMask({kTokens}, 3))};
    }
    void expectSame(const Assignment& found, const Assignment& expected) {
        EXPECT_EQ(found.offsets, expected.offsets);
        EXPECT_EQ(found.requested, expected.requested);
        EXPECT_EQ(found.groupTokens, expected.groupTokens);
        for (const auto table :
             {&Assignment::slotToken, &Assignment::slotExpert, &Assignment::tokenOffsets,
              &Assignment::tokenSlots, &Assignment::groupRequested, &Assignment::askedExperts}) {
            ASSERT_EQ((found.*table).defined(), (expected.*table).defined());
            if ((found.*table).defined()) {
                EXPECT_EQ(bytesOf(*cuda_, found.*table), bytesOf(*cpu_, expected.*table));
            }
        }
    }

    static constexpr std::int64_t kTokens = 12345;
};

TEST_F(RoutingAgainstCpu, ExpertChoice) {
    const Tensor p = scores(7);
    const Tensor onDevice = core::ops::toDevice(*cuda_, p);
    for (const double capacity : {0.3, 2.0, 7.0})
        for (const std::int64_t third : {6000, 12000})  // a block has a group, or all are sorted
            expectSame(core::ops::expertChoice(*cuda_, onDevice, groups(*cuda_, third), capacity),
                       core::ops::expertChoice(*cpu_, p, groups(*cpu_, third), capacity));
}

TEST_F(RoutingAgainstCpu, NobodyIsRouted) {
    const Tensor none = Tensor::host({0, 4});
    const Tensor onDevice = core::ops::toDevice(*cuda_, none);
    for (const core::RoutingGroups& nobody :
         {core::RoutingGroups{{0}, {}}, core::RoutingGroups{{0, 0, 0}, {}}}) {
        expectSame(core::ops::expertChoice(*cuda_, onDevice, nobody, 1.0),
                   core::ops::expertChoice(*cpu_, none, nobody, 1.0));
        expectSame(parity::exact(*cuda_, core::ops::topK(*cuda_, onDevice, nobody, {})),
                   core::ops::topK(*cpu_, none, nobody, {}));
    }
}

TEST_F(RoutingAgainstCpu, TopK) {
    const Tensor p = scores(70);
    const Tensor onDevice = core::ops::toDevice(*cuda_, p);
    for (const core::TopKRule& rule :
         {core::TopKRule{1, 0.8, false, TopKPlacement::ChoicesFirst},
          core::TopKRule{3, 0.7, false, TopKPlacement::BatchPriority},
          core::TopKRule{2, 0.7, false, TopKPlacement::TokenOrder},
          core::TopKRule{2, 1.0, true, TopKPlacement::BatchPriority},
          core::TopKRule{2, 1.0, false, TopKPlacement::ChoicesFirst, 40}})
        expectSame(parity::exact(*cuda_, core::ops::topK(*cuda_, onDevice, groups(*cuda_), rule)),
                   core::ops::topK(*cpu_, p, groups(*cpu_), rule));
}

/// Offsets that the host does not know, and rows that are no one's, through all that follows Top-K.
TEST_F(RoutingAgainstCpu, WhatFollowsTopKWithoutTheHostKnowingCounts) {
    constexpr std::int64_t kRows = 300;
    constexpr std::int64_t kExperts = 5;
    constexpr std::int64_t kWidth = 24;
    constexpr std::int64_t kInner = 40;
    const Tensor p = random({kRows, kExperts}, 1);
    const Tensor x = random({kRows, kWidth}, 2);
    const Tensor weight = random({kExperts, kInner, kWidth}, 3);
    const Tensor bias = random({kExperts, kInner}, 4);
    const Tensor down = random({kExperts, kWidth, kInner}, 5);
    const auto results = [&](Backend& b) {
        const auto made = [&](const core::Shape& shape) {
            return core::ops::toDevice(b, Tensor::zeros(shape));
        };
        const auto there = [&](const Tensor& host) { return core::ops::toDevice(b, host); };
        const core::RoutingGroups groups{{0, 100, kRows}, {}};
        const Assignment a = core::ops::topK(b, there(p), groups, {2, 0.75, false});
        const Tensor weights = made({a.slots()});
        const Tensor sums = made({kRows});
        core::ops::combineWeightsForward(b, weights, sums, there(p), a, false, true);
        const Tensor slots = made({a.slots(), kWidth});
        const Tensor before = made({a.slots(), kInner});
        const Tensor after = made({a.slots(), kInner});
        core::ops::dispatchForward(b, slots, there(x), a);
        core::ops::groupedLinearActivationForward(b, after, before, slots, there(weight),
                                                  there(bias), a, core::Activation::GeluErf);
        core::ops::groupedLinearForward(b, slots, after, there(down), {}, a);
        const Tensor y = made({kRows, kWidth});
        core::ops::combineForward(b, y, slots, weights, a);
        const Tensor dSlots = made({a.slots(), kWidth});
        const Tensor dWeights = made({a.slots()});
        core::ops::combineBackward(b, dSlots, dWeights, there(x), slots, weights, a);
        const Tensor dDown = made(down.shape());
        core::ops::groupedLinearBackwardWeight(b, dDown, {}, dSlots, after, a);
        const Tensor dBefore = made({a.slots(), kInner});
        core::ops::groupedLinearActivationBackwardData(b, dBefore, dSlots, there(down), before, a,
                                                       core::Activation::GeluErf);
        const Tensor dWeight = made(weight.shape());
        const Tensor dBias = made(bias.shape());
        core::ops::groupedLinearBackwardWeight(b, dWeight, dBias, dBefore, slots, a);
        core::ops::groupedLinearBackwardData(b, dSlots, dBefore, there(weight), a);
        const Tensor dx = made({kRows, kWidth});
        core::ops::dispatchBackward(b, dx, dSlots, a);
        const Tensor dp = made(p.shape());
        core::ops::combineWeightsBackward(b, dp, dWeights, weights, sums, there(p), a, false, true);
        EXPECT_EQ(a.offsets.empty(), !y.onHost());
        std::vector<Tensor> all;
        for (const Tensor& one : {y, dx, dp, dDown, dWeight, dBias})
            all.push_back(core::ops::readable(b, one));
        return all;
    };
    const auto found = results(*cuda_);
    const auto expected = results(*cpu_);
    for (std::size_t i = 0; i < found.size(); ++i) {
        double largest = 0;
        for (const float value : expected[i].span<float>())
            largest = std::max(largest, std::abs(static_cast<double>(value)));
        for (std::int64_t k = 0; k < found[i].elements(); ++k)
            ASSERT_NEAR(found[i].data<float>()[k], expected[i].data<float>()[k], 1e-5 * largest)
                << "result " << i << " at " << k;
    }
}

}  // namespace
