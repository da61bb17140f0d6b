// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/model/model.h"
#include "tests/core/model/fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace core::test {
namespace {

constexpr double kTolerance = 1e-4;

ForwardOptions withoutDropout(const Fixture& fixture) {
    ForwardOptions options;
    options.loss = fixture.loss();
    options.training = true;
    options.dropout = 0.0F;
    return options;
}

class T5Parity : public testing::TestWithParam<std::string> {};

/// tests/reference/make_t5_fixtures.py: what transformers computes.
TEST_P(T5Parity, ForwardAndEveryGradient) {
    const Fixture fixture("t5/" + GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), true);
    const ForwardResult result = model->forward(fixture.textBatch(), withoutDropout(fixture));
    const Tensor labels = fixture.reference("labels");
    const auto ids = labels.span<std::int64_t>();
    EXPECT_EQ(result.counted, std::count_if(ids.begin(), ids.end(),
                                            [](std::int64_t label) { return label != -100; }));
    const double logits = fixture.realLogitsError(result.logits);
    EXPECT_LT(logits, kTolerance);
    EXPECT_NEAR(result.loss, fixture.scalar("loss"), kTolerance * fixture.scalar("loss"));
    EXPECT_NEAR(result.logitZLoss, fixture.scalar("logit_z_loss"), kTolerance * result.logitZLoss);
    if (fixture.has("aux_loss")) {
        EXPECT_NEAR(result.auxLoss, fixture.scalar("aux_loss"), kTolerance);
        EXPECT_NEAR(result.zLoss, fixture.scalar("z_loss"), kTolerance * result.zLoss);
    }
    model->zeroGradients();
    model->backward(1.0F);
    const WorstGradient worst = expectGradients(*model, fixture, kTolerance);
    RecordProperty("logits", std::to_string(1e6 * logits) + "e-6");
    RecordProperty("gradient", std::to_string(1e6 * worst.error) + "e-6 in " + worst.name);
}

TEST_P(T5Parity, EvaluationGivesTheSame) {
    const Fixture fixture("t5/" + GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), false);
    const ForwardResult result = model->forward(fixture.textBatch(), {});
    EXPECT_LT(fixture.realLogitsError(result.logits), kTolerance);
    EXPECT_NEAR(result.loss, fixture.scalar("loss"), kTolerance * fixture.scalar("loss"));
}

INSTANTIATE_TEST_SUITE_P(Transformers, T5Parity, testing::ValuesIn(t5Fixtures()),
                         [](const auto& p) { return p.param; });

class T5RouterParity : public testing::TestWithParam<std::string> {};

TEST_P(T5RouterParity, ProbabilitiesAndCombineWeights) {
    const Fixture fixture("t5/" + GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), false);
    expectRouters(model->forward(fixture.textBatch(), {}), fixture, model->backend(), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Moe, T5RouterParity,
                         testing::Values("moe_paper", "moe_drops", "moe_dropless"),
                         [](const auto& p) { return p.param; });

}  // namespace
}  // namespace core::test
