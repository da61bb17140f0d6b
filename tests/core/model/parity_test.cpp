// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/model/model.h"
#include "tests/core/model/fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace core::test {
namespace {

constexpr double kTolerance = 1e-4;

class Parity : public testing::TestWithParam<std::string> {};

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
    const WorstGradient worst = expectGradients(*model, fixture, kTolerance);
    RecordProperty("logits", std::to_string(logits));
    RecordProperty("gradient", std::to_string(1e6 * worst.error) + "e-6 in " + worst.name);
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
    expectRouters(model->forward(fixture.batch(), {}), fixture, model->backend(), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Moe, RouterParity, testing::ValuesIn(moeFixtures()),
                         [](const auto& p) { return p.param; });

}  // namespace
}  // namespace core::test
