// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5.h"

#include "core/base/error.h"
#include "core/cpu/cpu_backend.h"
#include "tests/core/model/fixture.h"
#include "tests/core/model/refusal.h"
#include "tests/core/model/small_t5.h"
#include "tests/core/model/upcycled.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace core::test {
namespace {

MoeSpec grouped(MoeSpec moe, GroupSize group) {
    moe.group = group;
    return moe;
}

constexpr GroupSize kSequence{GroupSize::Kind::Sequence, 0};

std::unique_ptr<Model> paperT5() {
    return randomT5(smallT5({{"encoder.1", expertChoice(3, 2.0, false)},
                             {"decoder.1", topK(3, 2, 2.0, false)}}),
                    1, true);
}

/// As T5 v1.0: ReLU without a gate.
std::unique_ptr<Model> oldT5() {
    ModelSpec spec = smallT5({{"encoder.1", expertChoice(3, 2.0, false)}});
    spec.t5.gated = false;
    spec.t5.activation = Activation::Relu;
    return randomT5(spec, 1, true);
}

Batch paddedText(const T5Spec& t5) {
    Batch batch = randomText(t5, 3, 7, 6, 5);
    batch.inputMask = paddingMask(7, {0, 3, 6});
    batch.decoderMask = paddingMask(6, {2, 0, 1});
    for (std::int64_t i = 0; i < 18; ++i)
        if (batch.decoderMask.data<std::uint8_t>()[i] == 0)
            batch.labels.data<std::int64_t>()[i] = -100;
    return batch;
}

ForwardOptions training(std::optional<float> dropout = 0.0F) {
    ForwardOptions options;
    options.training = true;
    options.loss.aux = 0.3F;
    options.loss.z = 0.1F;
    options.loss.logitZ = 0.05F;
    options.dropout = dropout;
    options.seed = 11;
    return options;
}

double total(Model& model, const Batch& batch, const ForwardOptions& options) {
    const ForwardResult r = model.forward(batch, options);
    return r.loss + static_cast<double>(options.loss.aux) * r.auxLoss +
           static_cast<double>(options.loss.z) * r.zLoss +
           static_cast<double>(options.loss.logitZ) * r.logitZLoss;
}

/// One step along the gradient of each parameter by itself changes the total loss by its square.
void expectSlope(Model& model, const Batch& batch, const ForwardOptions& options) {
    model.zeroGradients();
    total(model, batch, options);
    model.backward(1.0F);
    for (const Parameter& p : model.parameters()) {
        double squares = 0;
        for (const float g : p.gradient.span<float>())
            squares += static_cast<double>(g) * static_cast<double>(g);
        ASSERT_GT(squares, 0) << p.name;
        const auto step = static_cast<float>(1e-3 / std::sqrt(squares));
        const auto move = [&](float factor) {
            for (std::int64_t i = 0; i < p.value.elements(); ++i)
                p.value.data<float>()[i] += factor * step * p.gradient.data<float>()[i];
        };
        move(1.0F);
        const double above = total(model, batch, options);
        move(-2.0F);
        const double below = total(model, batch, options);
        move(1.0F);
        const double slope = (above - below) / (2.0 * static_cast<double>(step));
        EXPECT_NEAR(slope, squares, 0.02 * squares + 1e-3 * std::sqrt(squares)) << p.name;
    }
}

TEST(T5Model, TheGradientIsTheSlopeOfTheTotalLoss) {
    const auto model = paperT5();
    expectSlope(*model, paddedText(model->spec().t5), training());
}

TEST(T5Model, TheGradientIsTheSlopeUnderDropoutToo) {
    const auto model = paperT5();
    expectSlope(*model, paddedText(model->spec().t5), training(0.2F));
}

TEST(T5Model, TheGradientIsTheSlopeWhereReluLiesInThePlaceOfWhatItIsOf) {
    const auto model = oldT5();
    for (const float dropout : {0.0F, 0.2F})
        expectSlope(*model, paddedText(model->spec().t5), training(dropout));
}

TEST(T5Model, DropoutIsSeededAndOnlyInTraining) {
    const auto model = paperT5();
    const Batch batch = paddedText(model->spec().t5);
    const auto logits = [&](const ForwardOptions& options) {
        const auto values = model->forward(batch, options).logits.span<float>();
        return std::vector<float>(values.begin(), values.end());
    };
    ForwardOptions options = training(std::nullopt);
    const std::vector<float> one = logits(options);
    EXPECT_EQ(logits(options), one) << "the same seed, the same pattern";
    options.seed = 12;
    EXPECT_NE(logits(options), one);
    const std::vector<float> none = logits(training(0.0F));
    EXPECT_NE(one, none) << "without a rate the config's 0.1 counts";
    options.training = false;
    EXPECT_EQ(logits(options), none);
}

TEST(T5Model, TheTiedMatrixIsOneParameter) {
    const auto model = paperT5();
    std::int64_t matrices = 0;
    for (const Parameter& p : model->parameters())
        if (p.shape == Shape{29, 12}) ++matrices;
    EXPECT_EQ(matrices, 1);
}

/// Expert Choice sees a whole group, so it is allowed in the encoder alone.
std::vector<std::pair<std::string, MoeSpec>> decoderRouters() {
    std::vector<std::pair<std::string, MoeSpec>> all;
    const std::vector<GroupSize> groups{{}, kSequence, {GroupSize::Kind::Tokens, 5}};
    for (const int k : {1, 2, 3})
        for (const double capacity : {0.0, 0.4, 1.0, 2.0})
            for (const bool renormalize : {false, true})
                for (const TopKOrder order : {TopKOrder::SoftmaxTopK, TopKOrder::TopKSoftmax})
                    for (const GroupSize& group : groups)
                        all.emplace_back(
                            fmt::format("k {} capacity {} renormalize {} order {} group {}", k,
                                        capacity, renormalize, topKOrderName(order),
                                        toString(group)),
                            grouped(topK(4, k, capacity, renormalize, order), group));
    return all;
}

/// Changing targets from position p on changes no logit before p, but for the rounding of matrix
/// products whose experts have other numbers of rows.
TEST(T5Model, NoLogitSeesALaterTarget) {
    constexpr std::int64_t kLength = 9;
    for (const auto& [name, moe] : decoderRouters()) {
        validate(moe, name, true);
        const auto model = randomT5(smallT5({{"decoder.0", moe}, {"decoder.1", moe}}), 3);
        const T5Spec& t5 = model->spec().t5;
        const Batch batch = randomText(t5, 1, 4, kLength, 2);
        const Tensor before = model->forward(batch, {}).logits;
        const auto kept = before.span<float>();
        const std::vector<float> expected(kept.begin(), kept.end());
        for (std::int64_t p = 1; p < kLength; ++p) {
            Batch changed = randomText(t5, 1, 4, kLength, 20 + static_cast<std::uint64_t>(p));
            changed.inputIds = batch.inputIds;
            for (std::int64_t i = 0; i < p; ++i)
                changed.decoderInputIds.data<std::int64_t>()[i] =
                    batch.decoderInputIds.data<std::int64_t>()[i];
            const Tensor logits = model->forward(changed, {}).logits;
            bool later = false;
            for (std::int64_t i = 0; i < logits.elements(); ++i) {
                const float change =
                    std::abs(logits.data<float>()[i] - expected[static_cast<std::size_t>(i)]);
                if (i < p * t5.vocab)
                    ASSERT_LT(change, 1e-5F) << name << ": the targets from " << p << " on";
                else
                    later = later || change > 1e-2F;
            }
            EXPECT_TRUE(later) << "the change must matter";
        }
    }
}

/// What the placement in token order is for: first choices before second ones leak.
TEST(T5Model, FirstChoicesFirstWouldSeeTheFuture) {
    const auto backend = makeCpuBackend(1);
    const RoutingGroups groups{{0, 2}, {}};
    const Tensor scores = Tensor::of<float>({2, 2}, std::vector<float>{0.6F, 0.4F, 0.1F, 0.9F});
    const Tensor other = Tensor::of<float>({2, 2}, std::vector<float>{0.6F, 0.4F, 0.9F, 0.1F});
    const auto slotsOfFirst = [&](const Tensor& p, bool causal) {
        const Assignment a = backend->topK(p, groups, topKRule(topK(2, 2, 1.0, false), causal));
        return a.tokenOffsets.data<std::int32_t>()[1];
    };
    EXPECT_NE(slotsOfFirst(scores, false), slotsOfFirst(other, false));
    EXPECT_EQ(slotsOfFirst(scores, true), slotsOfFirst(other, true));
}

/// Longer padding at the end of inputs and targets changes no logit of a real position.
TEST(T5Model, MorePaddingChangesNothing) {
    const std::vector<std::pair<const char*, MoeSpec>> encoders{
        {"expert choice", expertChoice(3, 1.0, false)},
        {"expert choice by sequence", expertChoice(3, 1.5, true, kSequence)},
        {"top-2 with drops", topK(3, 2, 0.8, false)},
        {"top-2 by sequence", grouped(topK(3, 2, 1.0, true), kSequence)},
        {"dropless", topK(3, 2, 0, true)}};
    for (const auto& [name, moe] : encoders) {
        const MoeSpec decoder = grouped(topK(3, 2, 0.9, false), moe.group);
        const auto model = randomT5(smallT5({{"encoder.0", moe}, {"decoder.1", decoder}}), 3);
        const T5Spec& t5 = model->spec().t5;
        const Batch batch = paddedText(t5);
        const auto first = model->forward(batch, {}).logits.span<float>();
        const std::vector<float> expected(first.begin(), first.end());
        Batch longer = randomText(t5, 3, 12, 10, 9);
        longer.inputMask = paddingMask(12, {5, 8, 11});
        longer.decoderMask = paddingMask(10, {6, 4, 5});
        for (std::int64_t b = 0; b < 3; ++b) {
            std::copy_n(batch.inputIds.data<std::int64_t>() + b * 7, 7,
                        longer.inputIds.data<std::int64_t>() + b * 12);
            std::copy_n(batch.decoderInputIds.data<std::int64_t>() + b * 6, 6,
                        longer.decoderInputIds.data<std::int64_t>() + b * 10);
        }
        const Tensor logits = model->forward(longer, {}).logits;
        for (std::int64_t row = 0; row < 18; ++row) {
            if (batch.decoderMask.data<std::uint8_t>()[row] == 0) continue;
            for (std::int64_t v = 0; v < t5.vocab; ++v)
                ASSERT_NEAR(expected[static_cast<std::size_t>(row * t5.vocab + v)],
                            logits.data<float>()[(row / 6 * 10 + row % 6) * t5.vocab + v], 2e-5)
                    << name << ", row " << row;
        }
    }
}

TEST(T5Model, PaddingIsNeverRouted) {
    const auto model = paperT5();
    const Batch batch = paddedText(model->spec().t5);
    const ForwardResult result = model->forward(batch, {});
    ASSERT_EQ(result.routers.size(), 2U);
    EXPECT_EQ(result.routers[0].block, "encoder.1");
    EXPECT_EQ(result.routers[1].block, "decoder.1");
    for (const RouterObservation& router : result.routers) {
        const auto* first = router.assignment.tokenOffsets.data<std::int32_t>();
        std::int64_t real = 0;
        for (std::int64_t t = 0; t < router.assignment.tokens; ++t) {
            const bool isReal = router.mask.data<std::uint8_t>()[t] != 0;
            if (isReal)
                ++real;
            else
                EXPECT_EQ(first[t], first[t + 1]) << router.block << " token " << t;
        }
        EXPECT_EQ(router.assignment.groupTokens, std::vector<std::int64_t>{real});
    }
}

TEST(T5Model, RefusesWhatItCannotCompute) {
    ModelSpec alone = smallT5();
    alone.t5.decoderLayers = 0;
    EXPECT_NE(refusal([&] { randomT5(alone, 1); }).find("encoder alone"), std::string::npos);
    ModelSpec buckets = smallT5();
    buckets.t5.relativeBuckets = 2;
    EXPECT_NE(refusal([&] { randomT5(buckets, 1); }).find("relative_attention_num_buckets = 2"),
              std::string::npos);
    const auto model = randomT5(smallT5(), 1);
    const Batch good = randomText(model->spec().t5, 2, 3, 4, 1);
    const auto says = [&](const Batch& batch, const char* part) {
        const std::string found = refusal([&] { model->forward(batch, {}); });
        EXPECT_NE(found.find(part), std::string::npos) << found;
    };
    Batch bad = randomText(model->spec().t5, 2, 3, 4, 1);
    bad.inputIds.data<std::int64_t>()[4] = 29;
    says(bad, "input_ids hold the token 29, expected 0 to 28");
    bad = randomText(model->spec().t5, 2, 3, 4, 1);
    bad.decoderInputIds.data<std::int64_t>()[0] = -100;
    says(bad, "decoder_input_ids hold the token -100");
    bad = good;
    bad.inputIds = Tensor::host({2, 0}, DType::I64);
    says(bad, "at least one token");
    bad = good;
    bad.decoderInputIds = {};
    says(bad, "decoder_input_ids are missing");
    bad = good;
    bad.inputMask = paddingMask(4, {0, 0});
    says(bad, "attention_mask");
    bad = good;
    bad.labels = Tensor::host({2, 3}, DType::I64);
    says(bad, "labels");
    bad = randomText(model->spec().t5, 2, 3, 4, 1);
    bad.labels.data<std::int64_t>()[0] = 29;
    says(bad, "labels hold the token 29, expected 0 to 28 or -100");
}

}  // namespace
}  // namespace core::test
