// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/model/model.h"
#include "core/model/router_stats.h"
#include "tests/core/model/fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace core::test {
namespace {

constexpr double kTolerance = 1e-4;

class Parity : public testing::TestWithParam<std::string> {};

/// A key bias moves all scores of a query alike, so its true gradient is 0 and what is stored is
/// rounding: it is measured by the query bias' size.
std::string scaleName(const std::string& name) {
    const std::string key = "attention.attention.key.bias";
    if (!name.ends_with(key)) return name;
    return name.substr(0, name.size() - key.size()) + "attention.attention.query.bias";
}

TEST_P(Parity, ForwardAndEveryGradient) {
    const Fixture fixture(GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), true);
    ForwardOptions options;
    options.loss = fixture.loss();
    options.training = true;
    const ForwardResult result = model->forward(fixture.batch(), options);

    const double logits =
        relativeError(result.logits.span<float>(), fixture.reference("logits").span<float>());
    EXPECT_LT(logits, kTolerance);
    EXPECT_NEAR(result.loss, fixture.scalar("loss"), kTolerance * fixture.scalar("loss"));
    if (fixture.has("aux_loss")) {
        EXPECT_NEAR(result.auxLoss, fixture.scalar("aux_loss"), kTolerance);
        EXPECT_NEAR(result.zLoss, fixture.scalar("z_loss"), kTolerance * result.zLoss);
    }

    model->zeroGradients();
    model->backward(1.0F);
    double worst = 0;
    const auto gradients = gradientsByName(*model);
    for (const auto& [name, values] : gradients) {
        const Tensor expected = fixture.reference("gradient/" + name);
        const double difference = maxDifference(values, expected.span<float>());
        const Tensor scaled = fixture.reference("gradient/" + scaleName(name));
        const double scale = maxMagnitude(scaled.span<float>());
        EXPECT_LE(difference, kTolerance * scale) << name << ", largest " << scale;
        if (scale > 0) worst = std::max(worst, difference / scale);
    }
    RecordProperty("logits", std::to_string(logits));
    RecordProperty("gradient", std::to_string(worst));
}

TEST_P(Parity, EvaluationGivesTheSameLogits) {
    const Fixture fixture(GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), false);
    const ForwardResult result = model->forward(fixture.batch(), {});
    EXPECT_LT(relativeError(result.logits.span<float>(), fixture.reference("logits").span<float>()),
              kTolerance);
    EXPECT_NEAR(result.loss, fixture.scalar("loss"), kTolerance * fixture.scalar("loss"));
}

INSTANTIATE_TEST_SUITE_P(Dense, Parity, testing::ValuesIn(denseFixtures()),
                         [](const auto& p) { return p.param; });
INSTANTIATE_TEST_SUITE_P(Moe, Parity, testing::ValuesIn(moeFixtures()),
                         [](const auto& p) { return p.param; });

class RouterParity : public testing::TestWithParam<std::string> {};

TEST_P(RouterParity, ProbabilitiesAndCombineWeights) {
    const Fixture fixture(GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), false);
    const ForwardResult result = model->forward(fixture.batch(), {});
    ASSERT_FALSE(result.routers.empty());
    for (const RouterObservation& router : result.routers) {
        const Tensor probabilities = fixture.reference(router.block + ".router_probabilities");
        const Tensor weights = fixture.reference(router.block + ".combine_weights");
        EXPECT_LT(relativeError(router.probabilities.span<float>(), probabilities.span<float>()),
                  kTolerance)
            << router.block;
        const Tensor dense = denseCombineWeights(router, model->backend());
        EXPECT_LT(relativeError(dense.span<float>(), weights.span<float>()), kTolerance)
            << router.block;
        for (std::int64_t i = 0; i < dense.elements(); ++i)
            ASSERT_EQ(dense.data<float>()[i] == 0, weights.data<float>()[i] == 0)
                << router.block << " entry " << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Moe, RouterParity, testing::ValuesIn(moeFixtures()),
                         [](const auto& p) { return p.param; });

}  // namespace
}  // namespace core::test
